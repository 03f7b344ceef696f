"""Questions of the chat: its settings, one of them chosen and then written, and which chat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from dct_tui.errors import DctError
from dct_tui.inert import inert, one_line
from dct_tui.sessions import Session
from dct_tui.sessions.chats import ChatSettings, list_chats

from .dialogs import DIALOG_CSS, ChooseOne, EnterText
from .keymap import with_keys
from .widgets.message_box import MessageBox

SEEDS = 2**63

LINES_KEYS = "enter takes it   {message.newline} new line   {dialog.leave_lines} leaves it"


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
            yield Static(with_keys(LINES_KEYS), classes="dialog--keys")

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


async def change_setting(
    app: App[Any], settings: ChatSettings, own: str | None, at: int
) -> tuple[int, ChatSettings] | None:
    """Lets one setting be chosen and written: its place, and all of them then. None: none was chosen.

    Args:
        own: the session's system prompt.
        at: where the cursor is first.
    """
    given = f"{own or 'none'} (the session's)" if settings.system is None else settings.system or "none"
    lines = [f"{setting.title:<16}{setting.written(settings)}" for setting in SETTINGS]
    lines.append(f"{'system prompt':<16}{one_line(given, 200)}")
    chosen = await app.push_screen_wait(ChooseOne("Settings of this chat", lines, at))
    if chosen is None:
        return None
    if chosen == len(SETTINGS):
        return chosen, await _ask_system(app, settings, own)
    setting = SETTINGS[chosen]
    check = partial(setting.changed, settings)
    text = await app.push_screen_wait(
        EnterText(setting.title, setting.written(settings), detail=setting.detail, check=check)
    )
    return chosen, settings if text is None else check(text)


async def _ask_system(app: App[Any], settings: ChatSettings, own: str | None) -> ChatSettings:
    now = own if settings.system is None else settings.system
    detail = "Empty: none. Written as the session's, it is the session's."
    text = await app.push_screen_wait(EnterLines("System prompt", now or "", detail))
    return settings if text is None else replace(settings, system=None if text == (own or "") else text)


async def choose_chat(app: App[Any], session: Session, current: str) -> str | None:
    """Lets one of the chats be chosen, by its name.

    Raises:
        DctError: there is none.
    """
    chats = list_chats(session)
    if not chats:
        raise DctError("this session has no chat yet", "write a message")
    lines = [
        f"{chat.at[5:16].replace('T', ' '):<12}{chat.turns:>3}  {one_line(chat.problem or chat.first, 60)}"
        for chat in chats
    ]
    names = [chat.name for chat in chats]
    at = names.index(current) if current in names else 0
    chosen = await app.push_screen_wait(ChooseOne("Chats: date (UTC), messages, the first", lines, at))
    return None if chosen is None else names[chosen]
