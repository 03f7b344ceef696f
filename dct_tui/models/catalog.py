"""What can be opened: the built-in model, folders, and what the hub cache holds."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

from ..errors import DctError
from ..paths import expand
from .names import BUILTIN, is_hub_id

__all__ = ["BUILTIN", "BUILTIN_FOLDER", "ModelSource", "find_model", "list_models"]

BUILTIN_FOLDER = Path(__file__).resolve().parent.parent / "assets" / "builtin"
HUB_PREFIX = "models--"


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
        DctError: no name, no such folder or none that may be read, or a hub id that is not in the cache.
    """
    if name == BUILTIN:
        return ModelSource(name, BUILTIN_FOLDER)
    if not name.strip():
        raise DctError("the model has no name", "name a folder, the id of a cached hub model, or builtin")
    folder = expand(name)
    if folder.is_dir():
        if not os.access(folder, os.R_OK | os.X_OK):
            raise DctError(f"{name} may not be read by you", "ask its owner for the right to, or choose another model")
        return ModelSource(str(folder.resolve()), folder.resolve())
    if folder.is_file():
        raise DctError(f"{name} is a file, not a model folder", "name the folder that holds config.json")
    if not is_hub_id(name):
        raise DctError(f"there is no model folder {name}", "check the path, or see `dct-tui models`")
    try:
        # Of what else was left out when it was fetched nothing is said here: the summary knows what is missing.
        found = snapshot_download(name, revision=revision, local_files_only=True, allow_patterns=["config.json"])
        snapshot = Path(found)
    except (LocalEntryNotFoundError, HFValidationError, FileNotFoundError):
        raise DctError(
            f"there is no model {name}: neither a folder nor in the hub cache",
            f"check the name, see `dct-tui models`, or fetch it with `hf download {name}`",
        ) from None
    return ModelSource(name, snapshot, snapshot.name)


def list_models() -> list[ModelSource]:
    """The built-in model, and the newest snapshot that has a config of every model in the hub cache.

    Only folders are read, no file: a cache may hold terabytes.
    """
    found = [find_model(BUILTIN)]
    try:
        folders = sorted(Path(constants.HF_HUB_CACHE).glob(f"{HUB_PREFIX}*"), key=lambda folder: folder.name.lower())
    except OSError:
        return found
    for folder in folders:
        snapshot = _snapshot(folder)
        if snapshot is not None:
            name = folder.name.removeprefix(HUB_PREFIX).replace("--", "/")
            found.append(ModelSource(name, snapshot, snapshot.name))
    return found


def _snapshot(repository: Path) -> Path | None:
    """What `main` points at, as it is opened by default; else the newest."""
    try:
        snapshots = [path for path in (repository / "snapshots").glob("*") if (path / "config.json").is_file()]
        main = repository / "refs" / "main"
        head = main.read_text(encoding="utf-8", errors="replace").strip() if main.is_file() else ""
        named = [path for path in snapshots if path.name == head]
        return named[0] if named else max(snapshots, key=lambda path: path.stat().st_mtime, default=None)
    except OSError:
        return None
