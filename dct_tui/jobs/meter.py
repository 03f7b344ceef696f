"""The journal of a fit that is under way, so that whoever watches its folder sees it live."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Literal

import torch

from ..errors import DctError
from ..sessions import Session
from ..sessions.record import now
from ..transcoder import Iteration
from .memory import bytes_in_use

Stage = Literal["calibrate", "fit", "describe"]
EVERY_S = 3.0

Rest = Callable[[], None]
"""Called between batches of rows, between iterations and as features are described. It may take its time; Enough ends
the iterations, a KeyboardInterrupt the fit."""


class Meter:
    """Writes how far a fit is: every iteration, and in between now and then.

    Args:
        expected: seconds that it was said to take, where that was said.

    Attributes:
        iteration: the last finished one.
    """

    def __init__(
        self, session: Session, device: torch.device, rest: Rest | None = None, expected: float | None = None
    ) -> None:
        self.iteration = 0
        self._session, self._device, self._rest = session, device, rest
        self._stage: Stage = "calibrate"
        self._done = self._of = 0
        self._begun = self._written = time.monotonic()
        self._elsewhere = 0.0
        if expected is not None:
            note(session, stage="begin", iteration=0, expected=expected, at=now())

    def begin(self, stage: Stage, of: int) -> None:
        """What is done from now on, and about how many rows (features of a description) it takes."""
        self._stage, self._done, self._of = stage, 0, of

    def rows(self, count: int) -> None:
        """So many rows come next. Raises what `rest` raises."""
        self.rest()
        self._note()
        self._done += count

    def described(self, done: int) -> None:
        """So many features are described. Raises what `rest` raises."""
        self._done = done
        self.rest()
        self._note()

    def rest(self) -> None:
        """A moment in which the fit may be held up or ended."""
        if self._rest is not None:
            before = time.monotonic()
            try:
                self._rest()
            finally:
                self._elsewhere += time.monotonic() - before

    def finished(self, iteration: Iteration, of: int) -> None:
        """An iteration is finished."""
        entry = asdict(iteration)
        self.iteration = entry.pop("number")
        self._elsewhere += iteration.seconds
        speed = iteration.rows / max(iteration.seconds, 1e-9)
        about = {"rows_per_second": speed, "at": now(), "memory": bytes_in_use(self._device)}
        self._session.progress.append({"iteration": self.iteration, "of": of, **entry, **about})
        self._written = time.monotonic()

    def end(self) -> None:
        """It is over, for now or for good."""
        besides = max(0.0, time.monotonic() - self._begun - self._elsewhere)
        note(self._session, stage="end", iteration=self.iteration, besides=besides, at=now())

    def _note(self) -> None:
        if time.monotonic() - self._written >= EVERY_S:
            self._written = time.monotonic()
            of = max(self._of, self._done)
            memory = bytes_in_use(self._device)
            stage, iteration, done = self._stage, self.iteration, self._done
            note(self._session, stage=stage, iteration=iteration, done=done, of=of, at=now(), memory=memory)


def note(session: Session, **entry: Any) -> None:
    """Writes how far a fit is, if there is room: only what the fit is gone on from may end it."""
    with suppress(DctError):
        session.progress.append(entry)
