"""How R was found, drawn; and whether to keep it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from .dialogs import DIALOG_CSS
from .keymap import with_keys
from .scale_words import large_words
from .widgets.curve import CalibrationCurve, found_words

WHY = (
    "Below R the slice answers nearly linearly: vectors do little but what their derivative says. Above it the model "
    "breaks. Features are trained and applied where the ratio is λ."
)


class CalibrationScreen(ModalScreen[bool]):
    """The curve by which R was found. Enter keeps this R for the fit, which then needs not look for it again."""

    DEFAULT_CSS = DIALOG_CSS.replace("Confirm,", "CalibrationScreen,").replace("width: 72;", "width: 78;", 1)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "answer(True)", "Keep it", id="calibration.keep", tooltip="Fit at this R"),
        Binding("q,escape", "answer(False)", "Leave", id="calibration.leave", tooltip="Leave R as it was"),
    ]

    def __init__(self, found: Mapping[str, Any]) -> None:
        super().__init__()
        self.found = found

    def compose(self) -> ComposeResult:
        """What was found, the curve, and why."""
        with Vertical(classes="dialog"):
            yield Static(found_words(self.found), classes="dialog--title", markup=False)
            yield CalibrationCurve(self.found)
            large = large_words(self.found)
            yield Static(large or WHY, classes="dialog--problem" if large else None, markup=False)
            yield Static(
                with_keys("{calibration.keep} fits at this R   {calibration.leave} leaves it as it was"),
                classes="dialog--keys",
            )

    def action_answer(self, answer: bool) -> None:
        """Ends the dialog."""
        self.dismiss(answer)
