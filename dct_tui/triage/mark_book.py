"""Marking features: one writer at a time, everything on disk before it is shown."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import datetime

from ..errors import DctError, SessionBusy
from ..sessions import Holder, Mark, Session
from ..sessions.decode import decode_all
from ..sessions.layout import MARKS_FILE
from ..sessions.marks import MarkKind, MarkLog

LONGEST_TAG, LONGEST_NOTE = 40, 2000
JUDGEMENTS: tuple[MarkKind, ...] = ("star", "reject", "clear")


class MarkBook:
    """The marks of a session, and the pen: whoever holds the session's `marks` lock writes, others read along.

    Attributes:
        log: what is marked.
        judged_at: when features were judged, in seconds since 1970, in the order of the journal.
        notices: what in the journal could not be used, a line each.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.log = MarkLog()
        self.judged_at: list[float] = []
        self.notices: list[str] = []
        self._offset = 0
        self._pen = contextlib.ExitStack()
        self._writes = False

    # Who writes

    @property
    def writes(self) -> bool:
        """Whether this book has the pen."""
        return self._writes

    @property
    def writer(self) -> Holder | None:
        """The other process that has it."""
        return None if self._writes else self.session.writer("marks")

    def take_pen(self) -> bool:
        """Tries to become the writer; whether it is. A folder that cannot be written to is read along."""
        with contextlib.suppress(DctError):
            self._take_pen()
        return self._writes

    def close(self) -> None:
        """Lets others write."""
        self._writes = False
        self._pen.close()

    def _take_pen(self) -> None:
        if not self._writes:
            self._pen.enter_context(self.session.writing("marks"))
            self._writes = True

    # Reading and writing

    def sync(self) -> set[int]:
        """Reads what was marked since, by whomever; returns the features that were touched.

        Raises:
            SessionDamaged: the journal cannot be read.
        """
        reading = self.session.marks.read_from(self._offset)
        marks, notices = decode_all(Mark, reading.records, MARKS_FILE)
        self._offset = reading.offset
        self.notices += reading.notices + notices
        touched: set[int] = set()
        for mark in marks:
            touched.update(self.log.apply(mark))
            if mark.kind in JUDGEMENTS and (at := _seconds(mark.at)) is not None:
                self.judged_at.append(at)
        return touched

    def mark(self, kind: MarkKind, features: Iterable[int], value: str = "") -> set[int]:
        """Marks features, all by one event, so that one undo takes it back. Returns the features that were touched.

        Raises:
            DctError: no features, a tag or note that cannot be, or no room on the disk: nothing was marked.
            SessionBusy: another process writes the marks.
        """
        chosen = tuple(dict.fromkeys(features))
        if not chosen:
            raise DctError("there is no feature to mark", "choose one")
        return self._write(Mark(kind, chosen, _checked(kind, value)))

    def undo(self) -> tuple[Mark | None, set[int]]:
        """Takes the last event back that still counts; returns it (None: there was none) and the features touched."""
        self.sync()
        last = self.log.undoable
        return last, self._write(Mark("undo")) if last is not None else set()

    def redo(self) -> tuple[Mark | None, set[int]]:
        """Brings back what the last undo took; returns it (None: there was none) and the features touched."""
        self.sync()
        last = self.log.redoable
        return last, self._write(Mark("redo")) if last is not None else set()

    def _write(self, mark: Mark) -> set[int]:
        try:
            self._take_pen()
        except SessionBusy as error:
            raise SessionBusy(error.message, "you read along here; close it there to mark here") from None
        self.session.marks.append(mark.encode(), durable=True)
        # Shown is what the file says.
        return self.sync()


def _checked(kind: MarkKind, value: str) -> str:
    value = " ".join(value.split())
    if kind in ("tag", "untag") and not value:
        raise DctError("a tag needs a name", "write a word, such as pirate")
    longest = {"tag": LONGEST_TAG, "untag": len(value), "note": LONGEST_NOTE}.get(kind, 0)
    if len(value) > longest:
        raise DctError(f"the {kind} has {len(value)} characters", f"write at most {longest}")
    return value


def _seconds(at: str) -> float | None:
    try:
        return datetime.fromisoformat(at).timestamp()
    except (ValueError, OverflowError):
        return None
