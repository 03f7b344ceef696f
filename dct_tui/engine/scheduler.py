"""One job on the model at a time: what waits, what runs, and when one makes room for another. Knows no model."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dct_tui.errors import DctError

from .answers import JobState
from .errors import Cancelled
from .wire import problem

__all__ = ["GiveWay", "Scheduler", "Stop", "Work"]

Sent = dict[str, Any]
log = logging.getLogger(__name__)


class Stop(KeyboardInterrupt):
    """Raised in the job that is to end. Jobs take it for ctrl-C, and keep what is done."""


class GiveWay(KeyboardInterrupt):
    """Raised in a job that is put back in the queue, to go on when there is room again."""


@dataclass(eq=False)
class Work:
    """A job, from its request to its end.

    Attributes:
        id: among all jobs of this engine.
        do: the request's name.
        rank: who goes first: the lower.
        perform: does it, in the worker's thread; gives the result.
        tell, end: take its events and its result or error; called in the worker's thread.
        fits: whether it can be done with the model that is held, without opening another. What it raises means no: the
            job says so itself when its turn comes.
        brief: whether it is done in the midst of a job of higher rank.
        session: the folder it belongs to, once that is known.
        chat: whose reply it is.
        on_pause: called when it comes to rest, in the worker's thread; what it raises ends the job.
        on_drop: called when somebody stops it before its turn; not where the engine ends.
    """

    id: int
    do: str
    rank: int
    perform: Callable[[Work], Sent]
    tell: Callable[[Sent], None]
    end: Callable[[str, Sent], None]
    fits: Callable[[], bool]
    brief: bool = False
    session: Path | None = None
    chat: str | None = None
    on_pause: Callable[[], None] | None = None
    on_drop: Callable[[], None] | None = None
    state: str = "waiting"
    note: str = ""
    paused: bool = False
    enough: bool = False
    stopped: str | None = None
    """Why it is to end; None while it is not."""

    def seen(self) -> JobState:
        """As it is shown to others."""
        return JobState(
            id=self.id,
            do=self.do,
            session=None if self.session is None else str(self.session),
            chat=self.chat,
            state=self.state,
            note=self.note,
        )


class Scheduler:
    """The queue. `run` is the worker's thread; everything else may be called from any.

    `on_change` is called, in any thread, when a job's state is another.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._changed = threading.Condition(threading.RLock())
        self._waiting: list[Work] = []
        self._running: list[Work] = []  # The innermost last.
        self._ending = False
        self._turn = 0  # Another one with every change.

    # From the outside

    def submit(self, work: Work) -> None:
        """Puts a job in the queue. Raises DctError where the engine is ending."""
        with self._changed:
            if self._ending:
                raise DctError("the engine is ending", "ask again: another one is started")
            self._waiting.append(work)
            self._tell()

    def stop(self, work: Work, why: str = "it was stopped") -> None:
        """Ends a job: at once where it waits, else at the next place where it looks up."""
        with self._changed:
            if work in self._waiting:
                self._waiting.remove(work)
                work.stopped = why
                if work.on_drop is not None and not self._ending:
                    work.on_drop()
                work.end("error", problem(Cancelled(why)))
            elif work in self._running and work.stopped is None:
                work.stopped = why
            self._tell()

    def pause(self, work: Work, paused: bool) -> None:
        """Lets a job rest, or go on."""
        with self._changed:
            work.paused = paused
            self._tell()

    def finish(self, work: Work) -> None:
        """Lets a fit end with what it has."""
        with self._changed:
            work.enough, work.paused = True, False
            self._tell()

    def works(self) -> list[Work]:
        """Those that run, the outermost first, then those that wait."""
        with self._changed:
            return [*self._running, *sorted(self._waiting, key=_order)]

    def shut(self, why: str) -> None:
        """Stops everything; `run` returns once the running job has ended."""
        with self._changed:
            self._ending = True
            for work in self.works():
                self.stop(work, why)
            self._tell()

    # In the worker's thread

    def noted(self) -> None:
        """A job has said something of itself."""
        self._on_change()

    def run(self) -> None:
        """Does one job after the other, until `shut`."""
        while True:
            with self._changed:
                while (work := self._first(lambda work: not work.paused)) is None:
                    if self._ending:
                        return
                    self._changed.wait()
                self._start(work)
            self._perform(work)

    def look_up(self, work: Work, *, may_give_way: bool = False) -> None:
        """For a running job, as often as it likes: does brief jobs that wait, and rests while it is paused.

        Raises:
            Stop: it is to end.
            GiveWay: a job that goes before it waits; only where it `may_give_way` now.
        """
        while True:
            with self._changed:
                if work.stopped is not None:
                    raise Stop
                if may_give_way and self._is_in_the_way(work):
                    raise GiveWay
                turn, rests = self._turn, work.paused
                comes_to_rest = rests and work.state != "paused"
                guests = [other for other in sorted(self._waiting, key=_order) if _is_welcome(other, work)]
            # Both may read or write files: nobody else is to wait for that.
            if comes_to_rest and work.on_pause is not None:
                work.on_pause()
            guest = next(filter(_fits, guests), None)
            with self._changed:
                changed = self._turn != turn
                self._show(work, "paused" if rests else "running")
                if changed:
                    continue  # What was seen may hold no more.
                if guest is not None:
                    self._start(guest)
                elif rests:
                    self._changed.wait()
                    continue
                else:
                    return
            self._perform(guest)

    def _show(self, work: Work, state: str) -> None:
        if work.state != state:
            work.state = state
            self._tell()

    def _is_in_the_way(self, work: Work) -> bool:
        *hosts, innermost = self._running
        if hosts:
            return any(not host.paused or host.stopped is not None for host in hosts) and innermost is work
        return self._first(lambda other: other.rank < work.rank and not other.paused) is not None

    def _first(self, suits: Callable[[Work], bool]) -> Work | None:
        return next((work for work in sorted(self._waiting, key=_order) if suits(work)), None)

    def _start(self, work: Work) -> None:
        self._waiting.remove(work)
        self._running.append(work)
        work.state = "running"
        self._tell()

    def _perform(self, work: Work) -> None:
        outcome: tuple[str, Sent] | None
        try:
            outcome = ("result", work.perform(work))
        except GiveWay:
            outcome = None
        except KeyboardInterrupt:
            outcome = ("error", problem(Cancelled(work.stopped or "it was stopped")))
        except DctError as error:
            log.info("%s %d: %s", work.do, work.id, error)
            outcome = ("error", problem(error))
        except BaseException as error:
            # Whatever it is, the engine lives on: others may be waiting for their jobs, and the model is opened.
            log.exception("%s %d failed", work.do, work.id)
            outcome = ("error", problem(error))
        if outcome is None or outcome[0] == "error":
            gc.collect()  # Tracebacks keep tensors in circles.
        with self._changed:
            self._running.remove(work)
            if outcome is None and work.stopped is None:
                work.state = "waiting"
                self._waiting.append(work)
            else:
                work.end(*(outcome or ("error", problem(Cancelled(work.stopped or "")))))
            self._tell()

    def _tell(self) -> None:
        self._turn += 1
        self._changed.notify_all()
        self._on_change()


def _order(work: Work) -> tuple[int, int]:
    return work.rank, work.id


def _is_welcome(guest: Work, host: Work) -> bool:
    """While a job rests, whatever needs no other model may be done, but no second one of its kind."""
    may_visit = guest.rank != host.rank if host.paused else guest.brief and guest.rank < host.rank
    return may_visit and not guest.paused


def _fits(work: Work) -> bool:
    try:
        return work.fits()
    except Exception as error:  # The host must not die of its guest.
        log.info("%s %d cannot say whether it fits: %s", work.do, work.id, error)
        return False
