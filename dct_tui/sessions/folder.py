"""Making the folder of a new session, and only where nothing else lies."""

from __future__ import annotations

import contextlib
from pathlib import Path

from dct_tui.errors import DctError

from . import layout
from .atomic import write_error

__all__ = ["check_still_there", "make_folder", "make_session_folder", "unicode_path", "unmake_session_folder"]


def make_session_folder(path: Path) -> bool:
    """Make the folder of a new session; False where an empty one was there already.

    What a writer killed at this very point leaves behind does not count.

    Raises:
        DctError: other files lie there, it is no folder, or it cannot be made.
    """
    try:
        others = [entry.name for entry in path.iterdir() if not _left_by_creation(entry.name)]
    except FileNotFoundError:
        make_folder(path)
        return True
    except NotADirectoryError as error:
        raise DctError(f"{path} is not a folder", "choose another place for the session") from error
    except OSError as error:
        raise write_error(error, path, 0) from error
    if others:
        raise DctError(
            f"{path} holds other files ({sorted(others)[0]}, …) and no session",
            "choose an empty or a new folder",
        )
    return False


def _left_by_creation(name: str) -> bool:
    return name == layout.lock_file("fit") or (name.startswith(f".{layout.RECORD_FILE}.") and name.endswith(".tmp"))


def check_still_there(path: Path) -> None:
    """Raises DctError where a session that was open is not in its folder any more.

    Asked before a folder is made in it: one that was renamed or removed must not come back as an empty folder.
    """
    try:
        there = (path / layout.RECORD_FILE).is_file()
    except OSError:  # a folder that may not be looked into
        there = True
    if not there:
        raise DctError(f"the folder {path} is gone: renamed, removed, or no session any more", "look for it at home")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it. Raises DctError where that is refused."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(error, folder, 0) from error


def unmake_session_folder(path: Path) -> None:
    """Take back `make_session_folder`, as far as that goes."""
    with contextlib.suppress(OSError):
        (path / layout.lock_file("fit")).unlink(missing_ok=True)
        path.rmdir()


def unicode_path(path: Path) -> Path:
    """The path, if it can be kept in files that hold Unicode only. Raises DctError where it cannot."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise DctError(f"the path {path} is not UTF-8", "choose another folder for the session") from None
    return path
