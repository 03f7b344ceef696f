"""Questions in front of a screen: yes or no, a line of text, one of several, and errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Input, Static

from dct_tui.errors import DctError
from dct_tui.inert import inert

from .keymap import key_of
from .widgets.input_line import InputLine
from .widgets.line_list import Cell, LineList

DIALOG_CSS = """
Confirm, EnterText, ChooseOne, ShowText, ErrorDialog {
    align: center middle;
    & > .dialog {
        width: 72;
        max-width: 95%;
        height: auto;
        max-height: 95%;
        border: round $primary;
        background: $surface;
        padding: 0 1;
    }
    .dialog--title { text-style: bold; height: auto; }
    .dialog--keys { color: $text-muted; height: auto; }
    .dialog--problem { color: $text-error; height: auto; }
    .dialog--title, .dialog--problem { max-height: 15vh; }
    LineList { height: auto; max-height: 55vh; background: $surface; }
    VerticalScroll { height: auto; max-height: 55vh; }
}
"""


class Confirm(ModalScreen[bool]):
    """A question that `y` answers with yes, and `n`, `q` or escape with no."""

    DEFAULT_CSS = DIALOG_CSS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="dialog.yes", tooltip="Do it"),
        Binding("n,q,escape", "answer(False)", "No", id="dialog.no", tooltip="Leave it"),
    ]

    def __init__(self, question: str, detail: str = "") -> None:
        super().__init__()
        self.question, self.detail = question, detail

    def compose(self) -> ComposeResult:
        """The question, what follows from it, and the keys."""
        with Vertical(classes="dialog"):
            yield Static(inert(self.question), classes="dialog--title", markup=False)
            with VerticalScroll():
                yield Static(inert(self.detail), markup=False)
            yield Static(f"{key_of('dialog.yes')} yes   {key_of('dialog.no')} no", classes="dialog--keys")

    def action_answer(self, answer: bool) -> None:
        """Ends the dialog."""
        self.dismiss(answer)


class EnterText(ModalScreen[str | None]):
    """A line of text; enter takes it, escape (or ctrl+x) leaves it. None: left.

    Args:
        check: raises DctError for what cannot be taken; the error is shown and the dialog stays.
    """

    DEFAULT_CSS = DIALOG_CSS
    BINDINGS: ClassVar[list[BindingType]] = [
        # Before the line's own ctrl+x, which cuts.
        Binding("escape,ctrl+x", "leave", "Leave", id="dialog.leave", priority=True, tooltip="Leave without an answer"),
    ]

    def __init__(
        self,
        question: str,
        value: str = "",
        *,
        detail: str = "",
        check: Callable[[str], object] | None = None,
        suggester: Suggester | None = None,
    ) -> None:
        super().__init__()
        self.question, self.value, self.detail, self.check, self.suggester = question, value, detail, check, suggester

    def compose(self) -> ComposeResult:
        """The question, the line, and what is wrong with it."""
        with Vertical(classes="dialog"):
            yield Static(inert(self.question), classes="dialog--title", markup=False)
            if self.detail:
                yield Static(inert(self.detail), markup=False)
            yield InputLine(self.value, suggester=self.suggester, compact=True, select_on_focus=False)
            yield Static("", classes="dialog--problem", markup=False)
            yield Static(f"enter takes it   {key_of('dialog.leave')} leaves it", classes="dialog--keys")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Takes the line, if it can be taken."""
        event.stop()
        try:
            if self.check is not None:
                self.check(event.value)
        except DctError as error:
            self.query_one(".dialog--problem", Static).update(inert(str(error)))
            return
        self.dismiss(event.value)

    def action_leave(self) -> None:
        """Ends the dialog without an answer."""
        self.dismiss(None)


class _Choices(LineList):
    def __init__(self, choices: Sequence[str]) -> None:
        super().__init__()
        self.choices = choices

    def row_count(self) -> int:
        return len(self.choices)

    def cells(self, row: int, width: int) -> Sequence[Cell]:
        return [(inert(self.choices[row]), 0, "")]

    def on_mount(self) -> None:
        self.styles.height = len(self.choices)


class ChooseOne(ModalScreen[int | None]):
    """One of several lines, by its number. None: left."""

    DEFAULT_CSS = DIALOG_CSS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape", "leave", "Leave", id="dialog.leave_choice", tooltip="Leave without a choice"),
    ]

    def __init__(self, question: str, choices: Sequence[str], at: int = 0) -> None:
        super().__init__()
        self.question, self.choices, self.at = question, choices, at

    def compose(self) -> ComposeResult:
        """The question and the lines."""
        with Vertical(classes="dialog"):
            yield Static(inert(self.question), classes="dialog--title", markup=False)
            yield _Choices(self.choices)
            keys = f"{key_of('list.choose')} chooses   {key_of('dialog.leave_choice')} leaves"
            yield Static(keys, classes="dialog--keys")

    def on_mount(self) -> None:
        """Starts at the line that was asked for."""
        self.query_one(_Choices).go_to(self.at)

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        """Ends the dialog with the choice."""
        event.stop()
        self.dismiss(event.row)

    def action_leave(self) -> None:
        """Ends the dialog without a choice."""
        self.dismiss(None)


class ShowText(ModalScreen[None]):
    """A text to read; `y` copies it."""

    DEFAULT_CSS = DIALOG_CSS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy", id="text.copy", tooltip="Copy the text"),
        Binding("j,down", "roll(1)", "Down", id="text.down", tooltip="A line down"),
        Binding("k,up", "roll(-1)", "Up", id="text.up", tooltip="A line up"),
        Binding("space,pagedown,ctrl+d", "roll(10)", "Page down", id="text.page_down", tooltip="Ten lines down"),
        Binding("pageup,ctrl+u", "roll(-10)", "Page up", id="text.page_up", tooltip="Ten lines up"),
        Binding("enter,q,escape,i", "leave", "Close", id="text.close", tooltip="Close"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.heading, self.text = title, text

    def compose(self) -> ComposeResult:
        """The title, the text and the keys."""
        with Vertical(classes="dialog"):
            yield Static(inert(self.heading), classes="dialog--title", markup=False)
            with VerticalScroll(can_focus=False):
                yield Static(inert(self.text), markup=False)
            keys = f"{key_of('text.close')} closes   {key_of('text.copy')} copies   "
            yield Static(f"{keys}{key_of('text.down')} {key_of('text.up')} scroll", classes="dialog--keys")

    async def action_copy(self) -> None:
        """Copies it all."""
        from .clipboard import copy

        self.notify(await copy(self.app, self.text), timeout=4, markup=False)

    def action_roll(self, lines: int) -> None:
        """Scrolls."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_leave(self) -> None:
        """Closes."""
        self.dismiss(None)


class ErrorDialog(ModalScreen[None]):
    """What went wrong and what to do; `y` copies it."""

    DEFAULT_CSS = DIALOG_CSS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy", id="error.copy", tooltip="Copy the text"),
        Binding("enter,q,escape", "leave", "Close", id="error.close", tooltip="Close"),
    ]

    def __init__(self, message: str, hint: str = "", detail: str = "") -> None:
        super().__init__()
        self.message, self.hint, self.detail = message, hint, detail

    def compose(self) -> ComposeResult:
        """Message, hint, and where there is one the detail."""
        with Vertical(classes="dialog"):
            yield Static(inert(self.message), classes="dialog--title dialog--problem", markup=False)
            with VerticalScroll():
                if self.hint:
                    yield Static(inert(f"→ {self.hint}"), markup=False)
                if self.detail:
                    yield Static(inert(self.detail), markup=False)
            yield Static(f"{key_of('error.close')} closes   {key_of('error.copy')} copies", classes="dialog--keys")

    async def action_copy(self) -> None:
        """Copies it all."""
        from .clipboard import copy

        parts = (self.message, self.hint, self.detail)
        self.notify(await copy(self.app, "\n".join(part for part in parts if part)), timeout=4, markup=False)

    def action_leave(self) -> None:
        """Closes."""
        self.dismiss(None)
