"""What home knows of every session, kept up to date in slices that nobody waits for."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dct_tui.errors import DctError
from dct_tui.paths import sessions_root
from dct_tui.sessions import Session, SessionSummary, layout, replay
from dct_tui.sessions.listing import is_listed, session_summary, touched_files
from dct_tui.sessions.locks import holder
from dct_tui.sessions.manage import outside_sessions
from dct_tui.triage.time_limit import time_limit

__all__ = ["SessionIndex", "SessionLine"]

SLICE_S = 0.02
"""How long one look may take."""
PATTERNS_S = 0.2
"""How long the patterns of a filter may be looked for."""

_Stamp = tuple[object, ...]


@dataclass(frozen=True)
class SessionLine:
    """One session, and how far a person has judged it. Counts are None where there is nothing to judge yet."""

    summary: SessionSummary
    starred: int = 0
    rejected: int = 0
    unjudged: int | None = None

    @property
    def words(self) -> str:
        """What a filter looks at."""
        summary, record = self.summary, self.summary.record
        known = (record.model.spec, record.fit.method, f"{record.slice.source}→{record.slice.target}") if record else ()
        return " ".join((summary.name, summary.state, *known, str(summary.path)))


class SessionIndex:
    """The sessions in the data folder, and those elsewhere that were opened.

    Attributes:
        folders: last used first, as they stood when `gather` was called: a list whose lines change places by
            themselves is hard to use.
    """

    def __init__(self) -> None:
        self.folders: list[Path] = []
        self._lines: dict[Path, SessionLine] = {}
        self._stamps: dict[Path, _Stamp] = {}
        self._next = 0
        self._slow = ""

    def gather(self) -> bool:
        """Looks which sessions there are, and puts them in order. Whether there are others than before."""
        found = sorted(_folders(), key=lambda folder: (-_used(folder), folder.name))
        others = set(found) != set(self.folders)
        self.folders = found
        for gone in self._lines.keys() - set(found):
            del self._lines[gone], self._stamps[gone]
        return others

    def came_or_went(self) -> bool:
        """Whether `gather` would find others."""
        return set(_folders()) != set(self.folders)

    def line(self, folder: Path) -> SessionLine | None:
        """What is known of a session; None before it was first looked at."""
        return self._lines.get(folder)

    def look(self, first: Sequence[Path] = (), seconds: float = SLICE_S) -> list[Path]:
        """Looks at the sessions in turn until the time is up, and gives those that changed.

        Args:
            first: these before the others, such as those in view.
            seconds: when it is up; one session is looked at in any case.
        """
        end = time.monotonic() + seconds
        turn = self.folders[self._next :] + self.folders[: self._next]
        changed = []
        ahead = list(dict.fromkeys([*first, *turn]))
        for looked, folder in enumerate(ahead, 1):
            stamp = _stamp(folder)
            if self._stamps.get(folder) != stamp:
                self._stamps[folder] = stamp
                self._lines[folder] = _line(folder)
                changed.append(folder)
            if time.monotonic() > end:
                # Of the turn, as many were seen as there was time for after those in front.
                self._next = (self._next + max(1, looked - len(first))) % max(1, len(self.folders))
                break
        return changed

    def found(self, text: str) -> list[Path]:
        """The folders that a filter leaves. Patterns that take too long are looked for as they stand."""
        if text != self._slow:
            try:
                with time_limit(PATTERNS_S):
                    return [folder for folder in self.folders if matches(self.line(folder), text)]
            except DctError:
                self._slow = text
        return [folder for folder in self.folders if matches(self.line(folder), text, patterns=False)]

    @property
    def unread(self) -> bool:
        """Whether there are sessions that were not looked at yet."""
        return len(self._lines) < len(self.folders)


def matches(line: SessionLine | None, text: str, *, patterns: bool = True) -> bool:
    """Whether a line has every word of a filter. A word is looked for as it stands, or as a regular expression; `!`
    before it means that it must not be there."""
    words = line.words if line is not None else ""
    return all(_has(words, word.lstrip("!"), patterns) != word.startswith("!") for word in text.split())


def _has(words: str, word: str, patterns: bool) -> bool:
    if word.lower() in words.lower():
        return True
    if not patterns:
        return False
    with suppress(re.error):
        return re.search(word, words[:1000], re.IGNORECASE) is not None
    return False


def _folders() -> list[Path]:
    found = set(outside_sessions())
    with suppress(OSError), os.scandir(sessions_root().absolute()) as entries:
        found.update(Path(entry.path) for entry in entries if is_listed(Path(entry.path)))
    return sorted(found)


def _used(folder: Path) -> float:
    used = 0.0
    for path in touched_files(folder):
        with suppress(OSError):
            used = max(used, path.stat().st_mtime)
    return used


def _stamp(folder: Path) -> _Stamp:
    """What is different whenever a line may be: sizes and times of the files, and who writes."""
    stamp: list[object] = [holder(folder / layout.lock_file("fit"))]
    for path in (*touched_files(folder), folder / layout.FEATURES_FILE):
        try:
            found = path.stat()
            stamp.append((found.st_mtime_ns, found.st_size))
        except OSError:
            stamp.append(None)
    return tuple(stamp)


def _line(folder: Path) -> SessionLine:
    summary = session_summary(folder)
    if summary.record is None or not (folder / layout.FEATURES_FILE).is_file():
        return SessionLine(summary)
    try:
        marks, _ = Session(folder, summary.record).read_marks()
    except DctError:
        return SessionLine(summary)
    state = replay(marks)
    starred, rejected = state.starred(), state.rejected()
    fitted = range(summary.record.fit.factors)
    judged = sum(index in fitted for index in (*starred, *rejected))
    return SessionLine(summary, len(starred), len(rejected), len(fitted) - judged)
