"""What of a hub model has to be fetched, and the fetching of one file so that it can be gone on with."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import urlsplit

import orjson
from huggingface_hub import HfApi, constants, get_hf_file_metadata, get_session, hf_hub_download, hf_hub_url
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.utils._headers import build_hf_headers
from huggingface_hub.utils._http import hf_raise_for_status

from ..errors import DctError
from .checkpoint import INDEX, SINGLE

OTHER_WEIGHTS = (".safetensors", ".bin", ".pth", ".pt", ".gguf", ".h5", ".msgpack", ".onnx", ".ot", ".ckpt", ".npz")
NEEDED = (".json", ".txt", ".model", ".jinja", ".py", ".tiktoken")
RESUMED_FROM = 2**20
PARTIAL = ".dct.incomplete"
SHA256 = re.compile(r"[0-9a-f]{64}")
BLOCK = 2**22
CHUNK = 2**18
PARTIAL_CONTENT = 206
IDLE_ROUNDS = 3

OnBytes = Callable[[str, int], None]
"""Called with a file's name and how many of its bytes are there."""


@dataclass(frozen=True)
class Wanted:
    """A file to be fetched; `size` in bytes."""

    name: str
    size: int


@dataclass(frozen=True)
class Repository:
    """A hub model at one commit, and the files of it that are needed, the config last: with it the model is there."""

    id: str
    commit: str
    files: tuple[Wanted, ...]

    @property
    def folder(self) -> Path:
        """Its folder in the hub cache."""
        return Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=self.id, repo_type="model")

    @property
    def snapshot(self) -> Path:
        """Where its files will be."""
        return self.folder / "snapshots" / self.commit


def look_up(id: str, revision: str | None) -> Repository:
    """Asks the hub what there is. Only config, tokenizer and safetensors are wanted, each weight once.

    Raises:
        DctError: it is no model that can be opened.
        Exception: as huggingface_hub fails.
    """
    info = HfApi().model_info(id, revision=revision, files_metadata=True)
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    if "config.json" not in sizes:
        kinds = sorted({PurePosixPath(name).suffix for name in sizes if name.endswith(OTHER_WEIGHTS)})
        held = f" (it holds {', '.join(kinds)})" if kinds else ""
        raise DctError(f"{id} has no config.json: it is no transformers model{held}", "choose the model it was made of")
    small = [name for name in sizes if "/" not in name and name.endswith(NEEDED) and not name.endswith(OTHER_WEIGHTS)]
    commit = str(info.sha)
    names = [*small, *_weights(id, commit, set(sizes))]
    ordered = sorted(set(names) - {"config.json"}, key=lambda name: (sizes[name], name))
    return Repository(id, commit, tuple(Wanted(name, sizes[name]) for name in [*ordered, "config.json"]))


def fetch(repository: Repository, file: Wanted, on_bytes: OnBytes) -> None:
    """Fetches a file into the cache, going on from where an earlier call was cut off.

    Raises:
        DctError: another process is fetching it, or what came is not what the hub has.
        Exception: as huggingface_hub fails.
    """
    if file.size >= RESUMED_FROM and not (repository.snapshot / file.name).exists():
        # huggingface_hub writes to a new file each time and drops it when it is cut off; a blob that is there it takes.
        _fetch_blob(repository, file, on_bytes)
    hf_hub_download(repository.id, file.name, revision=repository.commit)
    on_bytes(file.name, file.size)


def finish(repository: Repository, revision: str | None) -> None:
    """Notes which commit the revision is, so that the model is found by its name."""
    name = revision or "main"
    if name == repository.commit:
        return
    path = repository.folder / "refs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    beside.write_text(repository.commit)
    beside.replace(path)


def there(repository: Repository, file: Wanted) -> int:
    """How many bytes of a file are in the cache, as far as its name tells."""
    return file.size if (repository.snapshot / file.name).exists() else 0


def left_over(repository: Repository) -> int:
    """Bytes of files that were cut off, to be gone on with."""
    return sum(path.stat().st_size for path in (repository.folder / "blobs").glob(f"*{PARTIAL}"))


def _weights(id: str, commit: str, names: set[str]) -> list[str]:
    if SINGLE in names:
        return [SINGLE]
    if INDEX in names:
        index = orjson.loads(Path(hf_hub_download(id, INDEX, revision=commit)).read_bytes())
        return sorted({str(shard) for shard in index["weight_map"].values()} & names)
    found = sorted(name for name in names if "/" not in name and name.endswith(".safetensors"))
    if not found:
        pickled = any(name.endswith((".bin", ".pth", ".pt")) for name in names)
        raise DctError(
            f"{id} has {'only pickled weights' if pickled else 'no weights'}: nothing would be opened",
            "choose a model that has safetensors",
        )
    return found


def _fetch_blob(repository: Repository, file: Wanted, on_bytes: OnBytes) -> None:
    url = hf_hub_url(repository.id, file.name, revision=repository.commit)
    headers = build_hf_headers()
    about = get_hf_file_metadata(url, headers=headers)
    size = about.size or file.size
    blob = repository.folder / "blobs" / str(about.etag)
    if blob.exists():
        return
    if urlsplit(about.location).netloc != urlsplit(url).netloc:
        headers.pop("authorization", None)  # a signed address of another house
    blob.parent.mkdir(parents=True, exist_ok=True)
    partial = blob.with_name(blob.name + PARTIAL)
    with _alone(partial, file.name) as handle:
        done = handle.seek(0, os.SEEK_END)
        if done > size:
            handle.truncate(0)
            done = handle.seek(0)
        on_bytes(file.name, done)
        if done < size:
            _stream(about.location, headers, handle, size, lambda there: on_bytes(file.name, there))
        if SHA256.fullmatch(blob.name) and _sha256(partial) != blob.name:
            partial.unlink()
            raise DctError(f"{file.name} was damaged on its way", "ask for the model again: this file is fetched anew")
        os.fsync(handle.fileno())
        partial.replace(blob)


@contextmanager
def _alone(path: Path, name: str) -> Iterator[BinaryIO]:
    with path.open("r+b" if path.exists() else "w+b") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DctError(f"another process is fetching {name}", "wait for it") from None
        yield handle


def _stream(url: str, headers: dict[str, str], file: BinaryIO, size: int, on_length: Callable[[int], None]) -> None:
    """Adds to a file what it lacks. A line that is cut is taken up again, as long as it brings something."""
    most, idle = file.seek(0, os.SEEK_END), 0
    while (done := file.seek(0, os.SEEK_END)) < size:
        asked = {**headers, "Range": f"bytes={done}-", "Accept-Encoding": "identity"}
        failure: Exception | None = None
        try:
            with get_session().stream("GET", url, headers=asked, timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT) as response:
                hf_raise_for_status(response)
                if response.status_code != PARTIAL_CONTENT:
                    file.truncate(0)  # a server that cannot start in the middle
                    file.seek(0)
                for chunk in response.iter_bytes(CHUNK):
                    file.write(chunk)
                    on_length(file.tell())
        except Exception as error:
            if not is_cut(error):
                raise
            failure = error
        # Beginning anew is no progress: a server that always stops short would be asked for ever.
        there = file.seek(0, os.SEEK_END)
        most, idle = max(most, there), 0 if there > most else idle + 1
        if failure is not None and idle:
            raise failure
        if idle >= IDLE_ROUNDS:
            raise DctError(f"the hub sends less of a file than it announces: {most} of {size} bytes", "ask again later")
    file.flush()


def is_cut(error: Exception) -> bool:
    """Whether it is the line that failed. By name: which library of HTTP it is goes by huggingface_hub's version."""
    return any(kind.__name__ == "TransportError" for kind in type(error).__mro__)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
