"""Where the program keeps its data, and what a path that somebody typed means."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import platformdirs

from .errors import DctError

__all__ = ["data_root", "expand", "sessions_root"]

# Room for the names of what is put into a folder, so that a path is refused before anything is written.
ROOM = 512
UNREACHABLE = {errno.ENAMETOOLONG, errno.EACCES}


def data_root() -> Path:
    """The program's data folder: `DCT_TUI_HOME` where it is set, else the platform's place for user data.

    Nothing is created; the folder may not exist yet.

    Raises:
        DctError: `DCT_TUI_HOME` can be no path here.
    """
    home = os.environ.get("DCT_TUI_HOME", "")
    if home:
        return expand(home)
    return platformdirs.user_data_path("dct-tui", appauthor=False)


def sessions_root() -> Path:
    """The folder that holds one folder per session."""
    return data_root() / "sessions"


def expand(path: str | Path) -> Path:
    """The absolute path that a user means, `~` and `~name` filled in; there or not. Links are left as they are.

    Raises:
        DctError: it begins with the home of nobody, is too long for this system, or cannot be looked at.
    """
    shown = f"{path}" if len(f"{path}") <= 80 else f"{path}"[:79] + "…"
    try:
        full = Path(path).expanduser().absolute()
        # Looking is not enough: below a folder that is missing any name looks merely absent.
        if _too_long(full):
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        full.stat()
    except RuntimeError:
        raise DctError(f"{shown} begins with the home of a user whom this machine lacks", "write it out") from None
    except ValueError as error:
        raise DctError(f"{shown!r} can be no path: {error}", "choose another path") from None
    except OSError as error:
        if error.errno in UNREACHABLE:
            raise DctError(f"{shown} cannot be looked at: {error.strerror}", "choose another path") from None
    return full


def _too_long(path: Path) -> bool:
    longest = max(len(os.fsencode(part)) for part in path.parts)
    whole = len(os.fsencode(path))
    return longest > os.pathconf("/", "PC_NAME_MAX") or whole > os.pathconf("/", "PC_PATH_MAX") - ROOM
