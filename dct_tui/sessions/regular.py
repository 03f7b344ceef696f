"""Opening what lies in a session folder, which may come from anyone: plain files only."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

__all__ = ["open_regular", "read_regular"]


def open_regular(path: Path, flags: int = os.O_RDONLY) -> int:
    """The handle of a plain file. A pipe would be waited for, a device do what it likes, a link lead elsewhere.

    Raises:
        OSError: it is none, or cannot be opened.
    """
    try:
        handle = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise _odd(path) if error.errno == errno.ELOOP else error from None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise _odd(path)
    except BaseException:
        os.close(handle)
        raise
    return handle


def read_regular(path: Path) -> bytes:
    """The contents of a plain file. Raises OSError as `open_regular` does."""
    with os.fdopen(open_regular(path), "rb") as file:
        return file.read()


def _odd(path: Path) -> OSError:
    return OSError(errno.EINVAL, "it is no plain file", str(path))
