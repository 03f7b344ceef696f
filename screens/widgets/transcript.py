"""The transcript of a chat: lines that a reply grows at their end, at the cost of what it adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from .styled_lines import StyledLines
from .transcript_blocks import Block, Line, Replied, changed_columns

WHEEL = 3
BESIDE_FROM = 110
"""Columns of the terminal from which two replies stand side by side."""


class Transcript(StyledLines, can_focus=True):
    """Blocks of lines, of which only those that change are painted again.

    At the end it follows what is written, and makes room by half a page at a time, so that a long reply repaints the
    page once in many lines. Scrolled up, it stays where it is.
    """

    DEFAULT_CSS = """
    Transcript { height: 1fr; width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll_lines(1)", "Down", id="transcript.down", show=False, tooltip="One line down"),
        Binding("k,up", "scroll_lines(-1)", "Up", id="transcript.up", show=False, tooltip="One line up"),
        Binding("ctrl+d", "pages(0.5)", "Half down", id="transcript.half_down", show=False, tooltip="Half a page down"),
        Binding("ctrl+u", "pages(-0.5)", "Half up", id="transcript.half_up", show=False, tooltip="Half a page up"),
        Binding("pagedown", "pages(1)", "Page down", id="transcript.page_down", show=False, tooltip="A page down"),
        Binding("pageup", "pages(-1)", "Page up", id="transcript.page_up", show=False, tooltip="A page up"),
        Binding("g,home", "first", "Start", id="transcript.first", show=False, tooltip="To the first line"),
        Binding("G,end", "last", "End", id="transcript.last", show=False, tooltip="To the last line"),
        Binding("y", "copy", "Copy", id="transcript.copy", tooltip="Copy the last reply"),
    ]

    @dataclass
    class Copied(Message):
        """The last reply is to be copied."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.blocks: list[Block] = []
        self.top = 0
        self.following = True
        self._lines: list[Line] = []

    # What it shows

    def show(self, blocks: Sequence[Block], *, another: bool = False) -> None:
        """Shows these blocks in place of those there are.

        Args:
            another: whether they are of another chat, which is shown from its end.
        """
        self.blocks = list(blocks)
        if another:
            self.following = True
            self.on_resize()
        else:
            self._lay_out(0)

    def grow(self, side: str, text: str) -> None:
        """More of one side of the last block, which is a reply."""
        last = self.blocks[-1]
        assert isinstance(last, Replied)
        before = len(last.lines(self.size.width, self.beside))
        last.grow(side, text)
        self._lay_out(len(self._lines) - before)

    @property
    def beside(self) -> bool:
        """Whether two replies stand side by side."""
        return self.app.size.width >= BESIDE_FROM

    @property
    def text(self) -> str:
        """All lines as they stand, for tests."""
        return "\n".join("".join(text for text, _ in line) for line in self._lines)

    def _lay_out(self, start: int) -> None:
        """Lays out anew from a line on, which begins a block: the first, or the last."""
        width = self.size.width
        if not width:
            return
        blocks = self.blocks if start == 0 else self.blocks[-1:]
        old = self._lines[start:]
        new = [line for block in blocks for line in block.lines(width, self.beside)]
        self._lines[start:] = new
        if self._follow():
            self.refresh()
            return
        for place in range(max(len(old), len(new))):
            before = old[place] if place < len(old) else ()
            after = new[place] if place < len(new) else ()
            if before != after:
                self._paint(start + place, before, after)

    def _paint(self, at: int, before: Line, after: Line) -> None:
        if not 0 <= at - self.top < self.size.height:
            return
        for column, columns in changed_columns(before, after):
            self.line_changed(at - self.top, column, columns or None)

    def _follow(self) -> bool:
        """Brings the end into view if it is followed; whether that moved anything."""
        height, count, before = self.size.height, len(self._lines), self.top
        if not self.following or before < count <= before + height:
            return False
        # What is written next finds room: half a page of it.
        self.top = max(0, count - height + (height // 2 if count > before + height else 0))
        return self.top != before

    # Scrolling

    def go_to(self, top: int) -> None:
        """Puts a line at the top of the view."""
        last = max(0, len(self._lines) - self.size.height)
        top = max(0, min(top, max(last, self.top)))
        self.following = top >= last
        if top != self.top:
            self.top = top
            self.refresh()

    def action_scroll_lines(self, lines: int) -> None:
        """Up or down."""
        self.go_to(self.top + lines)

    def action_pages(self, pages: float) -> None:
        """Up or down by pages."""
        self.go_to(self.top + int(pages * max(1, self.size.height - 1)))

    def action_first(self) -> None:
        """To the beginning."""
        self.go_to(0)

    def action_last(self) -> None:
        """To the end, which is then followed."""
        self.go_to(max(0, len(self._lines) - self.size.height))
        self.following = True

    def action_copy(self) -> None:
        """Asks for the last reply to be copied."""
        self.post_message(self.Copied())

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Down by some lines."""
        event.stop()
        self.go_to(self.top + WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Up by some lines."""
        event.stop()
        self.go_to(self.top - WHEEL)

    def on_resize(self) -> None:
        """Lays everything out at the new width, the end staying in view where it was."""
        self._lines = [line for block in self.blocks for line in block.lines(self.size.width, self.beside)]
        last = max(0, len(self._lines) - self.size.height)
        self.top = last if self.following else min(self.top, last)
        self.refresh()

    # Painting

    def render_line(self, y: int) -> Strip:
        """One line of the view."""
        at = y + self.top
        return self.strip(self._lines[at] if at < len(self._lines) else ())
