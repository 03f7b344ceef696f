"""What a job has at hand while it runs: the model, and the ears of those who wait for it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dct_tui.sessions import Session

from ..messages import ModelChoice
from ..scheduler import Scheduler, Work
from .holder import Holder

if TYPE_CHECKING:
    from dct_tui.models.loading import LanguageModel

EVERY_S = 0.1


class Desk:
    """The place at which one job is done, in the worker's thread."""

    def __init__(self, work: Work, scheduler: Scheduler, holder: Holder) -> None:
        self.work = work
        self._scheduler, self._holder = scheduler, holder
        self._stage, self._told = "", 0.0

    def check(self) -> None:
        """Looks up: lets brief jobs go before, rests while paused. Raises Stop where the job is to end."""
        self._scheduler.look_up(self.work)

    def make_room(self) -> None:
        """The same, where nothing is lost if the job goes on later. Raises GiveWay where another waits."""
        self._scheduler.look_up(self.work, may_give_way=True)

    def tell(self, event: dict[str, Any]) -> None:
        """Sends an event."""
        self.work.tell(event)

    def note(self, text: str) -> None:
        """Says in a few words how far it is."""
        self.work.note = text
        self._scheduler.noted()

    def stage(self, stage: str, done: int, of: int) -> None:
        """Sends how far it is, at most ten times a second, and looks up."""
        self._far({"stage": stage}, stage, done, of)

    def part(self, part: str, done: int, of: int) -> None:
        """The same of a part of the model that is being opened."""
        self._far({"stage": "load", "part": part}, f"load {part}", done, of)

    def _far(self, event: dict[str, Any], stage: str, done: int, of: int) -> None:
        now = time.monotonic()
        if stage != self._stage or done >= of or now - self._told >= EVERY_S:
            self._stage, self._told = stage, now
            self.tell({**event, "done": done, "of": of})
            self.note(f"{stage} {done}/{of}" if of > 1 else stage)
        self.check()

    def belongs_to(self, session: Path) -> None:
        """Says which session the job belongs to."""
        self.work.session = session
        self._scheduler.noted()

    def model(self, choice: ModelChoice) -> LanguageModel:
        """The chosen model. Raises DctError where it cannot be opened."""
        return self._holder.for_choice(choice, self.part)

    def model_of(self, session: Session) -> LanguageModel:
        """The model of a session. Raises DctError where it is gone or another one now."""
        return self._holder.for_session(session, self.part)
