"""Who may write: one process for each job of a session, and the kernel lets go when that process dies."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from dct_tui.errors import SessionBusy

from .atomic import write_error
from .regular import open_regular

__all__ = ["Holder", "hold", "holder"]

# Someone asking `holder` has the lock for some microseconds; a writer outwaits that.
_PATIENCE_S = 0.25
_PAUSE_S = 0.01


@dataclass(frozen=True)
class Holder:
    """The process that has a lock. `pid` is 0 and `host` empty where it has not said so yet."""

    pid: int
    host: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}" if self.pid else "another process"


@contextlib.contextmanager
def hold(path: Path, what: str) -> Iterator[None]:
    """Have the lock file `path` for the length of a `with` block. `what` names the work in the error.

    Raises:
        SessionBusy: another process, or another block of this one, has it.
        DctError: the lock file cannot be made (read-only folder).
    """
    try:
        handle = open_regular(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise write_error(error, path, 0) from error
    try:
        if not _try_for(handle, path, _PATIENCE_S):
            raise SessionBusy(
                f"{what} is being written by {_named(handle)}",
                "wait until it has finished, or stop that process; reading is possible all the same",
            )
        _sign(handle)
        yield
        # Closing drops the lock; the file stays, for a deleted one could be held by two.
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def holder(path: Path) -> Holder | None:
    """The process that has the lock file `path`, None where it is free."""
    try:
        handle = open_regular(path)
    except OSError:
        return None
    try:
        return None if _try(handle, fcntl.LOCK_SH) else _named(handle)
    finally:
        os.close(handle)


def _try_for(handle: int, path: Path, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not (_try(handle, fcntl.LOCK_EX) and _is_still(handle, path)):
        if time.monotonic() > end:
            return False
        time.sleep(_PAUSE_S)
    return True


def _is_still(handle: int, path: Path) -> bool:
    # A folder that could not be filled is taken away with its lock: that file no longer keeps anyone out.
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _try(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True


def _sign(handle: int) -> None:
    # The lock is the kernel's; the name is a courtesy, and a full disk must not stop a reader of marks.
    with contextlib.suppress(OSError):
        os.ftruncate(handle, 0)
        os.pwrite(handle, orjson.dumps({"pid": os.getpid(), "host": socket.gethostname()}), 0)


def _named(handle: int) -> Holder:
    try:
        signed = orjson.loads(os.pread(handle, 4096, 0))
        return Holder(int(signed["pid"]), str(signed["host"]))
    except (OSError, ValueError, TypeError, KeyError):
        return Holder(0, "")
