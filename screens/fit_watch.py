"""Where a fit stands, read from its session folder alone, whoever is fitting it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from dct_tui.errors import SessionDamaged
from dct_tui.sessions import Holder, Session, SessionRecord
from dct_tui.sessions.progress import Entry, Note, read_progress

State: TypeAlias = Literal[
    "created", "waiting", "calibrating", "fitting", "describing", "paused", "stopped", "interrupted", "failed", "fitted"
]
RUNNING: frozenset[State] = frozenset({"calibrating", "fitting", "describing", "paused"})
STAGES: dict[str, State] = {
    "calibrate": "calibrating",
    "fit": "fitting",
    "describe": "describing",
    "paused": "paused",
}
RECENT = 3


@dataclass(frozen=True)
class FitView:
    """A fit at one moment.

    Attributes:
        state: what is going on; `interrupted` where its process has died.
        record: `session.json`.
        holder: the process that is fitting.
        entries: the finished iterations, by number; of one that was done again the newest.
        share: of what is being done now (the next iteration, the description), from 0 to 1.
        memory: bytes that the fitting process uses.
        took: seconds that went into it so far, but for those in which it rested.
        expected: seconds that it was said to take; None where that was not said.
        unreadable: lines of its journal that could not be read.
        complete: whether the outcome is there.
    """

    state: State
    record: SessionRecord
    holder: Holder | None = None
    entries: tuple[Entry, ...] = ()
    share: float = 0.0
    memory: float | None = None
    took: float = 0.0
    expected: float | None = None
    unreadable: int = 0
    complete: bool = False

    @property
    def iteration(self) -> int:
        """The last finished one, 0 before the first."""
        return self.entries[-1].iteration if self.entries else 0

    @property
    def of(self) -> int:
        """How many there will be."""
        return self.record.fit.iterations

    @property
    def running(self) -> bool:
        """Whether a process is at it."""
        return self.state in RUNNING

    @property
    def seconds_left(self) -> float | None:
        """Until the iterations are done, going by the last few; None where that cannot be told."""
        recent = [entry.seconds for entry in self.entries[-RECENT:] if entry.seconds is not None]
        if self.state not in ("fitting", "paused") or not recent:
            return None
        return max(0.0, self.of - self.iteration - self.share) * sum(recent) / len(recent)


class FitWatch:
    """Follows the fit of a session; each look reads what is new."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.happened: list[Entry | Note] = []
        """What the journal tells, in order."""
        self._offset = 0
        self._entries: dict[int, Entry] = {}
        self._took, self._unreadable = 0.0, 0
        self._expected: float | None = None
        self._stamp: tuple[int, int] | None = None

    def look(self, *, paused: bool = False, waiting: bool = False) -> FitView:
        """Where the fit stands now.

        Args:
            paused: whether its engine says that it is.
            waiting: whether an engine says that it has the fit before it.

        Raises:
            DctError: the folder can no longer be read.
        """
        holder = self.session.writer()
        record = self._record()
        self._read_on()
        # Nobody holds the lock, and what was read says `fitting`: it may have ended in between.
        if holder is None and record.status == "fitting":
            record = self.session.reload()
        last = self.happened[-1] if self.happened else None
        state = self._state(record, holder, last, paused, waiting)
        return FitView(
            state=state,
            record=record,
            holder=holder,
            entries=tuple(self._entries[number] for number in sorted(self._entries)),
            share=last.share if isinstance(last, Note) else 0.0,
            memory=last.memory if last is not None else None,
            took=self._took,
            expected=self._expected,
            unreadable=self._unreadable,
            complete=record.status == "fitted" and self.session.has_fit,
        )

    def _state(
        self, record: SessionRecord, holder: Holder | None, last: Entry | Note | None, paused: bool, waiting: bool
    ) -> State:
        if record.status != "fitting":
            return "waiting" if waiting and record.status != "fitted" else record.status
        if holder is None:
            return "waiting" if waiting else "interrupted"
        if paused:
            return "paused"
        if isinstance(last, Entry):
            return "describing" if last.iteration == record.fit.iterations else "fitting"
        if record.calibration is None and record.fit.scale is None:
            return "calibrating"
        # What was written before the calibration ended says no more than that.
        stage = STAGES.get(last.stage, "fitting") if last is not None else "fitting"
        return "fitting" if stage == "calibrating" else stage

    def _record(self) -> SessionRecord:
        found = (self.session.path / "session.json").stat()
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._stamp:
            self.session.reload()
            self._stamp = stamp
        return self.session.record

    def _read_on(self) -> None:
        try:
            reading = self.session.progress.read_from(self._offset)
        except SessionDamaged:
            # Another journal now lies there: a folder that was copied over this one.
            self._entries.clear()
            self.happened.clear()
            self._took, self._expected, self._unreadable = 0.0, None, 0
            reading = self.session.progress.read_from(0)
        self._offset = reading.offset
        self._unreadable += len(reading.notices)
        for record in reading.records:
            try:
                told = read_progress(record, self.session.record.fit.iterations)
            except ValueError:
                self._unreadable += 1
            else:
                self._take(told)

    def _take(self, told: Entry | Note) -> None:
        self.happened.append(told)
        if isinstance(told, Entry):
            self._entries[told.iteration] = told
            self._took += told.seconds or 0.0
        else:
            self._took += told.besides or 0.0
            self._expected = told.expected if told.expected is not None else self._expected
