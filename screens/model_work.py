"""Work of an engine that one waits for: how far it is, and a key that stops it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from dct_tui.engine.client import Job
from dct_tui.engine.errors import Cancelled
from dct_tui.errors import DctError
from dct_tui.inert import one_line

from .dialogs import DIALOG_CSS
from .keymap import key_of
from .model_lines import size
from .widgets.changing_lines import ChangingLines, Line

BAR = 40
EVERY_S = 0.25
STAGES = {
    "load": "opening the model",
    "config": "reading its config",
    "tokenizer": "opening its tokenizer",
    "weights": "reading its weights",
    "device": "moving them to the device",
    "proving": "proving that it can be served exactly",
    "prompts": "recording the slice",
    "calibrate": "finding R",
}

Told = Callable[[Mapping[str, Any]], "tuple[str, float | None]"]
"""From an event to words, and the share that is done where there is one."""


class WorkDialog(ModalScreen[dict[str, Any] | None]):
    """Follows a job; `x` or escape stops it. Gives its result, or None where it was stopped or failed.

    Args:
        enough: given an event, whether one need wait no longer; the job then goes on, and that event is the result.

    Attributes:
        error: why it failed; None where it did not.
    """

    DEFAULT_CSS = DIALOG_CSS.replace("Confirm,", "WorkDialog,") + "WorkDialog ChangingLines { height: 3; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x,escape,q", "stop", "Stop", id="work.stop", tooltip="Stop it; what can be kept is kept"),
    ]

    def __init__(
        self,
        title: str,
        job: Job,
        told: Told,
        *,
        kept: str = "",
        enough: Callable[[Mapping[str, Any]], bool] = lambda event: False,
    ) -> None:
        super().__init__()
        self.heading, self.job, self.told, self.kept, self.enough = title, job, told, kept, enough
        self.error: DctError | None = None
        self._painted = 0.0
        self._stopping = False

    def compose(self) -> ComposeResult:
        """What is done, how far it is, and the key."""
        with Vertical(classes="dialog"):
            yield Static(one_line(self.heading, 66), classes="dialog--title", markup=False)
            yield ChangingLines()
            yield Static(
                f"{key_of('work.stop')} stops it{f': {self.kept}' if self.kept else ''}",
                classes="dialog--keys",
                markup=False,
            )

    def on_mount(self) -> None:
        """Begins to follow."""
        self.query_one(ChangingLines).show([[("waiting for the engine", "dim")]])
        self.run_worker(self._follow())

    def action_stop(self) -> None:
        """Asks for its end; the dialog goes once it has come."""
        if not self._stopping:
            self._stopping = True
            self.query_one(ChangingLines).show([[("stopping…", "warn")]])
            self.run_worker(self.job.cancel())

    async def _follow(self) -> None:
        async for event in self.job:
            if self.enough(event) and not self._stopping:
                self.dismiss(event)
                return
            self._show(event)
        try:
            self.dismiss(await self.job.result())
        except Cancelled:
            self.dismiss(None)
        except DctError as error:
            self.error = error
            self.dismiss(None)

    def _show(self, event: Mapping[str, Any]) -> None:
        words, share = self.told(event)
        # What is done at last is always shown.
        if self._stopping or (time.monotonic() - self._painted < EVERY_S and share != 1.0):
            return
        self._painted = time.monotonic()
        lines: list[Line] = [[(one_line(words, 66), "")]]
        if share is not None:
            full = round(BAR * min(1.0, max(0.0, share)))
            lines.append([("█" * full + "░" * (BAR - full), "accent"), (f" {share:.0%}", "")])
        self.query_one(ChangingLines).show(lines)


def stage_told(event: Mapping[str, Any]) -> tuple[str, float | None]:
    """An event of opening or calibrating."""
    stage, done, of = str(event.get("stage", "")), event.get("done"), event.get("of")
    words = STAGES.get(stage, stage)
    counted = isinstance(done, int) and isinstance(of, int) and of > 1
    return (f"{words}, {done} of {of}", done / of) if counted else (words, None)  # type: ignore[operator]


def bytes_told(event: Mapping[str, Any]) -> tuple[str, float | None]:
    """An event of fetching."""
    done, of = float(event.get("done") or 0), float(event.get("of") or 0)
    words = f"{one_line(str(event.get('file', '')), 30)}  {size(done)} of {size(of)}"
    return words, done / of if of else None
