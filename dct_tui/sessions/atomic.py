"""Whole files, written so that a reader sees the old one or the new one and never a part."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import secrets
import shutil
from pathlib import Path

from dct_tui.errors import DctError

__all__ = ["remove_leftovers", "sync", "sync_tree", "write_atomic", "write_error"]

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_atomic(path: Path, data: bytes) -> None:
    """Replace `path` by `data`, durably: after this returns, a power cut leaves the new file.

    Raises:
        DctError: the disk is full, the folder is read-only or missing. What was at `path` is still there.
    """
    # A part of the name, for the whole and more may be too long for a file.
    temporary = path.with_name(f"{_beside(path)}{secrets.token_hex(4)}.tmp")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            _write_all(handle, data)
            os.fsync(handle)
        finally:
            os.close(handle)
        temporary.replace(path)
        sync(path.parent)
    except OSError as error:
        raise write_error(error, path, len(data)) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_error(error: OSError, path: Path, needed: int) -> DctError:
    """The refusal of `needed` bytes at `path` as an error that says what to do."""
    if error.errno in _NO_ROOM:
        try:
            free = f"{_size(shutil.disk_usage(path.parent).free)} free"
        except OSError:
            free = "none free"
        return DctError(
            f"no room to write {path.name}: {_size(needed)} needed, {free} in {path.parent}",
            "make room and run it again; nothing that was already saved is lost",
        )
    reason = error.strerror or str(error)
    return DctError(f"cannot write {path}: {reason}", "check that the folder exists and that you may write to it")


def remove_leftovers(path: Path) -> None:
    """Delete what killed writers of `path` left half-written. Only for who holds the lock that covers that file."""
    for leftover in path.parent.glob(f"{glob.escape(_beside(path))}*.tmp"):
        leftover.unlink(missing_ok=True)


def _beside(path: Path) -> str:
    return f".{path.name[:32]}."


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def sync(path: Path) -> None:
    """Has a file, or the entries of a folder, on the disk: a rename is durable only once its folder is."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Has a folder and all that is in it on the disk. Raises OSError where the disk refuses."""
    for path in folder.rglob("*"):
        if not path.is_symlink() and (path.is_file() or path.is_dir()):
            sync(path)
    sync(folder)


def _size(count: int) -> str:
    for unit, step in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= step:
            return f"{count / step:.1f} {unit}"
    return f"{count} bytes"
