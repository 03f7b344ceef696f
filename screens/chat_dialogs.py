"""The chat's settings: one of them is chosen, then written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from dct_tui.errors import DctError
from dct_tui.inert import inert, one_line
from dct_tui.sessions.chats import ChatSettings

from .dialogs import DIALOG_CSS
from .widgets.message_box import MessageBox

SEEDS = 2**63


class EnterLines(ModalScreen[str | None]):
    """A text of several lines; enter takes it, escape (or ctrl+x) leaves it. None: left."""

    DEFAULT_CSS = DIALOG_CSS.replace("Confirm,", "EnterLines,", 1)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,ctrl+x", "leave", "Leave", id="dialog.leave_lines", priority=True, tooltip="Leave it as it was"
        ),
    ]

    def __init__(self, question: str, value: str, detail: str = "") -> None:
        super().__init__()
        self.question, self.value, self.detail = question, value, detail

    def compose(self) -> ComposeResult:
        """The question and the box."""
        with Vertical(classes="dialog"):
            yield Static(inert(self.question), classes="dialog--title", markup=False)
            yield Static(inert(self.detail), markup=False)
            yield MessageBox(self.value, may_be_empty=True)
            yield Static("enter takes it   ctrl+j new line   escape or ctrl+x leaves it", classes="dialog--keys")

    def on_message_box_sent(self, event: MessageBox.Sent) -> None:
        """Takes the text."""
        event.stop()
        self.dismiss(event.text)

    def action_leave(self) -> None:
        """Ends the dialog without an answer."""
        self.dismiss(None)


@dataclass(frozen=True)
class Setting:
    """One number of the settings: what it is, in words, and how it is read."""

    name: str
    title: str
    detail: str
    read: Callable[[str], float]

    def written(self, settings: ChatSettings) -> str:
        """Its value, as it is typed."""
        value = getattr(settings, self.name)
        return str(value) if isinstance(value, int) else f"{value:g}"

    def changed(self, settings: ChatSettings, text: str) -> ChatSettings:
        """The settings with what was written. Raises DctError for what it cannot be."""
        try:
            value = self.read(text.strip())
        except ValueError:
            raise DctError(f"{text.strip()[:20]!r} cannot be the {self.title}", self.detail) from None
        changes: dict[str, Any] = {self.name: value}
        return replace(settings, **changes)


def _between(least: float, most: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = float(text)
        if not least <= value <= most:
            raise ValueError
        return value

    return read


def _whole(least: int, most: int) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = int(text)
        if not least <= value <= most:
            raise ValueError
        return value

    return read


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1:
        raise ValueError
    return value


SETTINGS = (
    Setting(
        "temperature", "temperature", "0 always takes the likeliest token; 1 draws as the model says", _between(0, 100)
    ),
    Setting("top_p", "top-p", "above 0 up to 1: draws from the likeliest tokens that have this share together", _share),
    Setting(
        "max_new_tokens", "most tokens", "a whole number from 1 on: a reply is cut off there", _whole(1, 1_000_000)
    ),
    Setting("seed", "seed", "a whole number from 0 on: the same seed draws the same reply", _whole(0, SEEDS - 1)),
)


def setting_lines(settings: ChatSettings, session_system: str | None) -> list[str]:
    """The settings as lines to choose from, the system prompt last."""
    given = f"{session_system or 'none'} (the session's)" if settings.system is None else settings.system or "none"
    numbers = [f"{setting.title:<16}{setting.written(settings)}" for setting in SETTINGS]
    return [*numbers, f"{'system prompt':<16}{one_line(given, 200)}"]
