"""Which sessions there are, and which one a name means."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from dct_tui.errors import DctError
from dct_tui.paths import expand, sessions_root

from . import layout
from .locks import Holder
from .progress import read_progress
from .record import SessionRecord
from .session import Session

__all__ = [
    "SessionSummary",
    "find_session",
    "is_listed",
    "list_sessions",
    "new_session_path",
    "session_path",
    "session_summary",
    "touched_files",
]

_TOUCHED = (layout.RECORD_FILE, layout.PROGRESS_FILE, layout.SAMPLES_FILE, layout.MARKS_FILE)


@dataclass(frozen=True)
class SessionSummary:
    """One line about a session.

    Attributes:
        path: the folder.
        record: its `session.json`; None where the session cannot be opened.
        iteration: the last finished iteration of the fit, 0 before the first.
        writer: the process that is fitting it now.
        used: when it was last written to, seconds since 1970.
        problem: why it cannot be opened, or cannot be read in part; empty where all is well.
    """

    path: Path
    record: SessionRecord | None
    iteration: int
    writer: Holder | None
    used: float
    problem: str

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def state(self) -> str:
        """Where its fit stands, in a few words."""
        if self.record is None:
            return "damaged"
        progress = f"{self.iteration}/{self.record.fit.iterations}"
        if self.writer is not None:
            return f"fitting {progress} by {self.writer}"
        # Nobody holds the lock: a fit that says it is running has died.
        return {"fitting": f"interrupted at {progress}", "stopped": f"stopped at {progress}"}.get(
            self.record.status, self.record.status
        )


def list_sessions(root: Path | None = None, extra: Sequence[Path] = ()) -> list[SessionSummary]:
    """The sessions under `root` (default: the data folder) and in the folders `extra`, last used first.

    A session that cannot be opened is listed with its problem; folders that are no sessions are left out.
    """
    folders = {expand(path) for path in extra}
    with contextlib.suppress(OSError):
        folders.update(entry for entry in (root or sessions_root()).absolute().iterdir())
    found = [session_summary(folder) for folder in folders if is_listed(folder)]
    return sorted(found, key=lambda summary: (-summary.used, summary.name))


def is_listed(folder: Path) -> bool:
    """Whether there is a session in a folder, or one that may not be looked into: that is told rather than hidden."""
    return Session.exists(folder) or (folder.is_dir() and not os.access(folder, os.X_OK))


def session_path(name: str, root: Path | None = None) -> Path:
    """The folder of the session of that name, there or not. It lies directly under `root`.

    Raises:
        DctError: `name` is no name for a session, such as one that leads out of the root.
    """
    return (root or sessions_root()) / layout.check_name(name)


def find_session(text: str, root: Path | None = None) -> Path:
    """The folder of the session that a user means by `text`: a path, or else a name under `root`.

    Raises:
        DctError: there is no such session.
    """
    path = expand(text)
    if Session.exists(path):
        return path
    if os.sep not in text and text not in ("", ".", ".."):
        named = session_path(text, root)
        if Session.exists(named):
            return named
    raise DctError(f"there is no session {text!r}", "`dct-tui sessions` lists those there are")


def new_session_path(
    model: str, source: int, target: int, method: str, root: Path | None = None, taken: Collection[Path] = ()
) -> Path:
    """A folder that is not there yet nor `taken`, named `<model>-<s>-<t>-<method>-<date>-<n>`. Nothing is made.

    `model` is what the user named: of a path or hub id its last part is taken.
    """
    short = re.sub(r"[^A-Za-z0-9_.+-]+", "-", model.rstrip("/").rpartition("/")[2]).strip("-.")[:60]
    stem = f"{short or 'model'}-{source}-{target}-{method}-{date.today():%Y%m%d}"
    number = 1
    while (path := session_path(f"{stem}-{number}", root)).exists() or path in taken:
        number += 1
    return path


def session_summary(folder: Path) -> SessionSummary:
    """The line about the session in a folder; where it cannot be opened, with its problem."""
    used = max(map(_modified, touched_files(folder)), default=0.0)
    try:
        session = Session.open(folder)
        iterations = session.record.fit.iterations
        last = session.progress.last(lambda record: _is_progress(record, iterations)) or {}
    except DctError as error:
        return SessionSummary(folder, None, 0, None, used, str(error))
    return SessionSummary(
        path=folder,
        record=session.record,
        iteration=last.get("iteration", 0),
        writer=session.writer(),
        used=used,
        problem="",
    )


def touched_files(folder: Path) -> list[Path]:
    """The files that change when a session is used; one may be missing."""
    return [folder / name for name in _TOUCHED]


def _is_progress(record: Mapping[str, Any], iterations: int) -> bool:
    try:
        read_progress(record, iterations)
    except ValueError:
        return False
    return True


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
