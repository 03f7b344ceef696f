"""What is done with whole sessions: renamed, copied as settings, thrown away, brought back, remembered."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from dct_tui.errors import DctError, SessionDamaged
from dct_tui.paths import data_root, expand, sessions_root

from . import layout
from .atomic import sync, sync_tree, write_atomic, write_error
from .decode import decode
from .folder import make_folder
from .locks import hold
from .record import now
from .regular import read_regular
from .session import JOBS, Session

__all__ = [
    "Trashed",
    "duplicate_session",
    "list_trash",
    "outside_sessions",
    "remember_session",
    "rename_session",
    "restore_session",
    "trash_session",
]

TRASH_FOLDER = "trash"
RECENT_FILE = "recent.json"
MOST_RECENT = 100
_ORIGIN_FILE = "trashed.json"


@dataclass(frozen=True)
class Trashed:
    """A session in the trash."""

    path: Path
    """Where it lies now."""
    origin: Path
    """Where it was."""
    at: str
    """When it was thrown away: UTC, ISO 8601."""


@dataclass(frozen=True)
class _Origin:
    path: str
    at: str


@dataclass(frozen=True)
class _Recent:
    sessions: tuple[str, ...]


def rename_session(path: Path, name: str) -> Path:
    """Gives a session's folder another name, beside where it was. Returns its new path.

    Raises:
        DctError: no name for a session, one that is taken, or the folder cannot be moved.
        SessionBusy: somebody writes to it.
    """
    path = expand(path)
    target = path.with_name(layout.check_name(name))
    if target == path:
        return path
    with _alone(path):
        _move(path, target)
    _forget(path)
    remember_session(target)
    return target


def duplicate_session(path: Path, name: str | None = None) -> Session:
    """A new session beside the other data, of the same model, prompts and settings, not fitted yet.

    Args:
        path: of the session that is copied.
        name: of the new one; by default that of the old one with a number.

    Raises:
        DctError: there is no such session, the name is taken, or there is no room.
    """
    record = Session.open(path).record
    root = sessions_root()
    target = root / layout.check_name(name) if name is not None else _free(root, expand(path).name)
    if target.exists():
        raise DctError(f"{target} is there already", "choose another name")
    fresh = dataclasses.replace(
        record,
        name=target.name,
        created=now(),
        status="created",
        failure=None,
        calibration=None,
        row_batch=None,
        versions={},
    )
    return Session.create(target, fresh)


def trash_session(path: Path) -> Path:
    """Moves a session to the trash, beside what lies there. Returns where it lies now.

    Raises:
        DctError: there is no session, or its folder cannot be moved.
        SessionBusy: somebody writes to it.
    """
    path = expand(path)
    trash = data_root() / TRASH_FOLDER
    with _alone(path):
        make_folder(trash)
        target = _free(trash, path.name)
        write_atomic(path / _ORIGIN_FILE, orjson.dumps(asdict(_Origin(str(path), now()))))
        try:
            _move(path, target)
        except DctError:
            (path / _ORIGIN_FILE).unlink(missing_ok=True)
            raise
    _forget(path)
    return target


def list_trash() -> list[Trashed]:
    """The sessions in the trash, last thrown away first."""
    found = []
    for origin in (data_root() / TRASH_FOLDER).glob(f"*/{_ORIGIN_FILE}"):
        with contextlib.suppress(OSError, ValueError, SessionDamaged):
            known = decode(_Origin, orjson.loads(read_regular(origin)), _ORIGIN_FILE)
            found.append(Trashed(origin.parent, Path(known.path), known.at))
    return sorted(found, key=lambda one: (one.at, str(one.path)), reverse=True)


def restore_session(trashed: Trashed) -> Path:
    """Moves a session out of the trash, to where it was; beside it with a number if that place is taken.

    Raises:
        DctError: it is not there any more, or cannot be moved.
    """
    parent = trashed.origin.parent if trashed.origin.parent.is_dir() else sessions_root()
    make_folder(parent)
    target = parent / trashed.origin.name
    target = _free(parent, target.name) if target.exists() else target
    with _alone(trashed.path):
        _move(trashed.path, target)
    (target / _ORIGIN_FILE).unlink(missing_ok=True)
    remember_session(target)
    return target


def remember_session(path: Path) -> None:
    """Remembers a session that lies outside the data folder, so that it is listed. Not being able to is no error."""
    path = expand(path)
    if path.parent != sessions_root().absolute():
        _change_recent(lambda known: [path, *(other for other in known if other != path)])


def outside_sessions() -> list[Path]:
    """The sessions outside the data folder that were opened and are still there, last opened first."""
    return [path for path in _read_recent() if Session.exists(path)]


def _forget(path: Path) -> None:
    if path in _read_recent():
        _change_recent(lambda known: [other for other in known if other != path])


def _read_recent() -> list[Path]:
    try:
        document = orjson.loads(read_regular(data_root() / RECENT_FILE))
        return [Path(text) for text in decode(_Recent, document, RECENT_FILE).sessions]
    except (OSError, orjson.JSONDecodeError, SessionDamaged):
        return []


def _change_recent(changed: Callable[[list[Path]], list[Path]]) -> None:
    with contextlib.suppress(DctError, orjson.JSONEncodeError):
        make_folder(data_root())
        # Another workbench may remember one at the same moment.
        with hold(data_root() / layout.lock_file("recent"), RECENT_FILE):
            paths = changed(_read_recent())[:MOST_RECENT]
            write_atomic(data_root() / RECENT_FILE, orjson.dumps(asdict(_Recent(tuple(map(str, paths))))))


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Be the only one who writes to a session, for the length of a `with` block."""
    if not Session.exists(path):
        raise DctError(f"there is no session in {path}", "`dct-tui sessions` lists those there are")
    with contextlib.ExitStack() as locks:
        # Not by way of the session: one that cannot be read can still be thrown away.
        for job in JOBS:
            locks.enter_context(hold(path / layout.lock_file(job), f"the {job} of session {path.name}"))
        yield


def _free(folder: Path, name: str) -> Path:
    """A path in a folder that is not there yet: the name, or the name with a number."""
    number, target = 1, folder / name
    while target.exists() or target.is_symlink():
        number += 1
        target = folder / f"{name[:120]}.{number}"
    return target


def _move(path: Path, target: Path) -> None:
    if target.exists() or target.is_symlink():
        raise DctError(f"{target} is there already", "choose another name")
    try:
        path.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise write_error(error, target, 0) from error
        _copy_over(path, target)


def _copy_over(path: Path, target: Path) -> None:
    """Moves to another file system: whole there before it goes here."""
    half = _free(target.parent, f".{target.name}.tmp")
    try:
        shutil.copytree(path, half, symlinks=True)
        sync_tree(half)
        half.rename(target)
        sync(target.parent)
    except OSError as error:
        shutil.rmtree(half, ignore_errors=True)
        raise write_error(error, target, 0) from error
    shutil.rmtree(path, ignore_errors=True)
