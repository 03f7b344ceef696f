"""Where engines are found: a folder of the user's own, and in it three small files for each engine."""

from __future__ import annotations

import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dct_tui.errors import DctError

__all__ = ["LONGEST", "Address", "address_of", "engines_folder"]

LONGEST = 107
"""The most bytes in the path of a socket: the kernel keeps 108, one of them to end it."""
FALLBACK = Path("/tmp")
_LONGEST_NAME = len("/engine-4194304.sock")


@dataclass(frozen=True)
class Address:
    """The files of one engine.

    Attributes:
        socket: where it listens.
        entry: what is known of it without asking.
        lock: the kernel holds this for it while it lives, so that a reused process id misleads nobody.
    """

    socket: Path
    entry: Path
    lock: Path


def address_of(pid: int) -> Address:
    """The files of the engine with that process id.

    Raises:
        DctError: the folder of engines cannot be had.
    """
    stem = engines_folder() / f"engine-{pid}"
    return Address(*(stem.with_suffix(suffix) for suffix in (".sock", ".json", ".lock")))


def engines_folder() -> Path:
    """The folder of this user's engines, `dct-tui-<uid>` in the system's temporary folder; made where it is missing.

    Not in `/run/user`, which is emptied when the user logs out. Where the temporary folder's name is too long for a
    socket, `/tmp` takes its place.

    Raises:
        DctError: it is a link, belongs to somebody else, is open to others, or cannot be made.
    """
    folder = Path(tempfile.gettempdir()) / f"dct-tui-{os.getuid()}"
    if len(os.fsencode(folder)) + _LONGEST_NAME > LONGEST:
        folder = FALLBACK / folder.name
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise DctError(f"cannot make {folder}: {error.strerror}", "set TMPDIR to a folder of yours") from error
    _check(folder)
    return folder


def _check(folder: Path) -> None:
    """Whoever owns this folder could answer in the engine's place."""
    found = folder.lstat()
    advice = "remove it, or set TMPDIR to a folder of yours"
    if not stat.S_ISDIR(found.st_mode):
        raise DctError(f"{folder} is not a folder", advice)
    if found.st_uid != os.getuid():
        raise DctError(f"{folder} belongs to another user (uid {found.st_uid})", advice)
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise DctError(f"{folder} is open to other users", f"run `chmod 700 {folder}` if you trust what is in it")
