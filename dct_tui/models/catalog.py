"""What can be opened: the built-in model, folders, and what the hub cache holds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import scan_cache_dir, snapshot_download
from huggingface_hub.errors import CacheNotFound, HFValidationError, LocalEntryNotFoundError

from ..errors import DctError
from ..paths import expand

BUILTIN = "builtin"
BUILTIN_FOLDER = Path(__file__).resolve().parent.parent / "assets" / "builtin"
HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


@dataclass(frozen=True)
class ModelSource:
    """Where a model's files are.

    Attributes:
        name: what the user typed: `builtin`, a folder, or a hub id.
        folder: the files.
        commit: of a hub snapshot; None elsewhere.
    """

    name: str
    folder: Path
    commit: str | None = None

    @property
    def title(self) -> str:
        """A short name to call it by."""
        return self.name if self.name == BUILTIN else self.name.rstrip("/").split("/")[-1]


def find_model(name: str, revision: str | None = None) -> ModelSource:
    """Finds a model's files on this machine.

    Raises:
        DctError: no name, no such folder, or a hub id that is not in the cache.
    """
    if name == BUILTIN:
        return ModelSource(name, BUILTIN_FOLDER)
    if not name.strip():
        raise DctError("the model has no name", "name a folder, the id of a cached hub model, or builtin")
    folder = expand(name)
    if folder.is_dir():
        return ModelSource(str(folder.resolve()), folder.resolve())
    if folder.is_file():
        raise DctError(f"{name} is a file, not a model folder", "name the folder that holds config.json")
    if not HUB_ID.fullmatch(name):
        raise DctError(f"there is no model folder {name}", "check the path, or see `dct-tui models`")
    try:
        snapshot = Path(snapshot_download(name, revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, FileNotFoundError):
        raise DctError(
            f"there is no model {name}: neither a folder nor in the hub cache",
            f"check the name, see `dct-tui models`, or fetch it with `hf download {name}`",
        ) from None
    return ModelSource(name, snapshot, snapshot.name)


def list_models() -> list[ModelSource]:
    """The built-in model, and every cached hub snapshot that has a config."""
    found = [find_model(BUILTIN)]
    try:
        cache = scan_cache_dir()
    except CacheNotFound:
        return found
    for repository in sorted(cache.repos, key=lambda r: r.repo_id.lower()):
        newest = max(repository.revisions, key=lambda r: r.last_modified)
        if repository.repo_type == "model" and (newest.snapshot_path / "config.json").is_file():
            found.append(ModelSource(repository.repo_id, newest.snapshot_path, newest.commit_hash))
    return found
