"""Where a message is written: enter sends it, a pasted text of many lines stays one message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult

from dct_tui.inert import inert

TALLEST = 8


class MessageBox(TextArea):
    """A box that grows with its text, up to some lines."""

    DEFAULT_CSS = """
    MessageBox {
        height: 1;
        background: $surface-lighten-1;
        padding: 0 1;
        scrollbar-size: 0 0;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Send", id="message.send", tooltip="Send the message"),
        Binding(
            "ctrl+j,alt+enter",
            "newline",
            "New line",
            id="message.newline",
            show=False,
            tooltip="Begin a new line in the message",
        ),
        Binding("up", "up_or_recall", "Up", id="message.up", show=False, tooltip="Up; in an empty box: edit the last"),
        Binding("pageup", "pages(-1)", "Page up", id="message.page_up", show=False, tooltip="Scroll the chat up"),
        Binding(
            "pagedown", "pages(1)", "Page down", id="message.page_down", show=False, tooltip="Scroll the chat down"
        ),
    ]

    @dataclass
    class Sent(Message):
        """The message is to be sent; it is no longer in the box, so that what is typed next is not taken for it."""

        text: str

    @dataclass
    class Recalled(Message):
        """The last message is to be edited."""

    @dataclass
    class Paged(Message):
        """What is above is to be scrolled."""

        pages: float

    def __init__(
        self, text: str = "", *, placeholder: str = "", may_be_empty: bool = False, id: str | None = None
    ) -> None:
        super().__init__(
            inert(text), compact=True, highlight_cursor_line=False, placeholder=placeholder, id=id, soft_wrap=True
        )
        self.may_be_empty = may_be_empty
        # A blinking cursor costs bytes while nothing happens.
        self.cursor_blink = False

    def render_line(self, y: int) -> Strip:
        """One line; in a box without room for a column, a text cannot be wrapped."""
        return super().render_line(y) if self.content_size.width > 0 else Strip.blank(self.size.width)

    def put(self, text: str) -> None:
        """Puts a text in place of what is there, the cursor at its end."""
        self.text = inert(text)
        self.move_cursor(self.document.end)
        self._fit()

    def action_send(self) -> None:
        """Takes the message out of the box to be sent, if there is one."""
        text = self.text.strip()
        if text or self.may_be_empty:
            self.put("")
            self.post_message(self.Sent(text))

    def action_newline(self) -> None:
        """Begins a line."""
        self.insert("\n")

    def action_up_or_recall(self) -> None:
        """Moves the cursor; in an empty box, asks for the last message."""
        if self.text:
            self.action_cursor_up()
        else:
            self.post_message(self.Recalled())

    def action_pages(self, pages: float) -> None:
        """Scrolls what is above."""
        self.post_message(self.Paged(pages))

    async def _on_key(self, event: events.Key) -> None:
        # Here and not when the key comes back unused: what is typed behind it is in this box's queue already.
        bound = dict(self.screen._binding_chain).get(self, self._bindings).key_to_bindings.get(event.key, ())
        action = next((each.action for each in bound if each.id in ("message.send", "message.newline")), "")
        if event.character == "?" and not self.text and not self.may_be_empty:
            # Nothing is asked yet: the ? of the last line means what it says.
            action = "app.help"
        if action:
            event.stop()
            event.prevent_default()
            await self.run_action(action)

    def edit(self, edit: Edit) -> EditResult:
        """Performs a change; all that is typed or pasted comes this way."""
        # A terminal ends the lines of what is pasted by carriage returns.
        edit.text = inert(edit.text.replace("\r\n", "\n").replace("\r", "\n"))
        return super().edit(edit)

    def on_text_area_changed(self) -> None:
        """Grows or shrinks."""
        self._fit()

    def on_resize(self) -> None:
        """Lines wrap otherwise now."""
        self._fit()

    def _fit(self) -> None:
        lines = max(1, min(TALLEST, self.wrapped_document.height))
        if self.styles.height is None or self.styles.height.value != lines:
            self.styles.height = lines
