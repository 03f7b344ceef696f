"""Where a fit stands, read from its session folder alone, whoever is fitting it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from dct_tui.errors import SessionDamaged
from dct_tui.sessions import Holder, Session, SessionRecord

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
class Entry:
    """One iteration, as the journal tells it. Figures that it does not tell are None."""

    iteration: int
    objective: float | None
    change: float | None
    settled: float | None
    seconds: float | None
    rows_per_second: float | None
    memory: int | None
    at: str


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
        complete: whether the outcome is there.
    """

    state: State
    record: SessionRecord
    holder: Holder | None = None
    entries: tuple[Entry, ...] = ()
    share: float = 0.0
    memory: int | None = None
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
        self.happened: list[dict[str, Any]] = []
        """The journal's records, in order."""
        self._offset = 0
        self._entries: dict[int, Entry] = {}
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
        last = self.happened[-1] if self.happened else {}
        state = self._state(record, holder, last, paused, waiting)
        return FitView(
            state=state,
            record=record,
            holder=holder,
            entries=tuple(self._entries[number] for number in sorted(self._entries)),
            share=_share(last),
            memory=_whole(last.get("memory")),
            complete=record.status == "fitted" and self.session.has_fit,
        )

    def _state(
        self, record: SessionRecord, holder: Holder | None, last: Mapping[str, Any], paused: bool, waiting: bool
    ) -> State:
        if record.status != "fitting":
            return "waiting" if waiting and record.status != "fitted" else record.status
        if holder is None:
            return "waiting" if waiting else "interrupted"
        if paused:
            return "paused"
        if "iteration" in last and "stage" not in last:
            return "describing" if last["iteration"] == record.fit.iterations else "fitting"
        if record.calibration is None and record.fit.scale is None:
            return "calibrating"
        # What was written before the calibration ended says no more than that.
        stage = STAGES.get(str(last.get("stage")), "fitting")
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
            reading = self.session.progress.read_from(0)
        self._offset = reading.offset
        for record in reading.records:
            self.happened.append(record)
            if (entry := entry_of(record)) is not None:
                self._entries[entry.iteration] = entry


def entry_of(record: Mapping[str, Any]) -> Entry | None:
    """The iteration that a record of the journal tells of; None where it tells of something else."""
    number = _whole(record.get("iteration"))
    if not number or "stage" in record:
        return None
    seconds, rows = _figure(record.get("seconds")), _figure(record.get("rows"))
    speed = _figure(record.get("rows_per_second"))
    return Entry(
        iteration=number,
        objective=_figure(record.get("objective")),
        change=_figure(record.get("change")),
        settled=_figure(record.get("settled")),
        seconds=seconds,
        rows_per_second=speed if speed is not None else rows / seconds if rows and seconds else None,
        memory=_whole(record.get("memory")),
        at=str(record.get("at", "")),
    )


def _share(last: Mapping[str, Any]) -> float:
    done, of = _figure(last.get("done")), _figure(last.get("of"))
    return min(1.0, max(0.0, done / of)) if "stage" in last and done is not None and of else 0.0


def _figure(value: object) -> float | None:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if usable else None  # type: ignore[arg-type]


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
