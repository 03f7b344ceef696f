"""A list of lines that a slow line can carry: moving the cursor repaints two lines, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

Cell = tuple[str, int, str]
"""Inert text, its columns on the screen (0: all that are left), and a style: a name in `STYLES`, or empty."""

POINTER = "›"


# Textual's keys for scrolling sideways would keep left and right from the screens.
class LineList(ScrollView, can_focus=True, inherit_bindings=False):
    """A list with a cursor, one row a line. A subclass says how many rows there are and what their cells are.

    Nothing is laid out and nothing animated. Past the edge the view jumps by half a page, so that holding a key
    repaints the page once in many lines.
    """

    STYLES: ClassVar[tuple[str, ...]] = ("dim", "accent", "good", "bad", "warn", "bold")
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "line-list--header",
        "line-list--cursor",
        "line-list--dim",
        "line-list--accent",
        "line-list--good",
        "line-list--bad",
        "line-list--warn",
        "line-list--bold",
    }
    DEFAULT_CSS = """
    LineList {
        height: 1fr;
        scrollbar-size: 0 0;
        background: $background;
        color: $foreground;
        & > .line-list--header { text-style: bold; color: $text-muted; }
        & > .line-list--cursor { background: $surface-lighten-1; }
        &:focus > .line-list--cursor { background: $primary-muted; text-style: bold; }
        & > .line-list--dim { color: $text-muted; }
        & > .line-list--accent { color: $text-accent; }
        & > .line-list--good { color: $text-success; }
        & > .line-list--bad { color: $text-error; }
        & > .line-list--warn { color: $text-warning; }
        & > .line-list--bold { text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", id="list.down", show=False, tooltip="One row down"),
        Binding("k,up", "move(-1)", "Up", id="list.up", show=False, tooltip="One row up"),
        Binding("g,home", "go(0)", "First", id="list.first", show=False, tooltip="To the first row"),
        Binding("G,end", "go(-1)", "Last", id="list.last", show=False, tooltip="To the last row"),
        Binding("ctrl+d", "page(0.5)", "Half down", id="list.half_down", show=False, tooltip="Half a page down"),
        Binding("ctrl+u", "page(-0.5)", "Half up", id="list.half_up", show=False, tooltip="Half a page up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", id="list.page_down", show=False, tooltip="A page down"),
        Binding("pageup", "page(-1)", "Page up", id="list.page_up", show=False, tooltip="A page up"),
        Binding("enter", "choose", "Open", id="list.choose", tooltip="Open the row under the cursor"),
    ]

    @dataclass
    class Moved(Message):
        """The cursor stands on another row (None: there are no rows)."""

        list: LineList
        row: int | None

        @property
        def control(self) -> LineList:
            """The list."""
            return self.list

    @dataclass
    class Chosen(Message):
        """Enter was pressed on a row, or it was clicked twice."""

        list: LineList
        row: int
        what: Any
        """What stood in the row when it was chosen: later keys may have put something else there."""

        @property
        def control(self) -> LineList:
            """The list."""
            return self.list

    cursor = 0
    highlight: int | None = None
    """How many columns of its row the cursor covers; None: all. Only these are repainted when it moves."""

    # What a subclass says

    def row_count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def cells(self, row: int, width: int) -> Sequence[Cell]:
        """What stands in a row of `width` columns. Texts must be inert."""
        raise NotImplementedError

    def what(self, row: int) -> Any:
        """What a row is of, given to whoever hears that it was chosen."""
        return row

    def header(self, width: int) -> Sequence[Cell]:
        """The first line, which stays; empty: there is none."""
        return ()

    def empty_text(self) -> str:
        """What is said where there are no rows."""
        return ""

    # Telling the list what changed

    def rows_changed(self) -> None:
        """Rows came, went or changed places: repaints all, the cursor staying where it is as far as it can."""
        self.cursor = max(0, min(self.cursor, self.row_count() - 1))
        self.virtual_size = Size(self.size.width, self.row_count() + self._header_lines)
        self._bring_into_view()
        self.refresh()

    def row_changed(self, *rows: int, start: int = 0, columns: int | None = None) -> None:
        """These rows look otherwise now, at least from column `start` on: repaints those in view."""
        for row in rows:
            y = row - self.scroll_offset.y + self._header_lines
            if self._header_lines <= y < self.size.height:
                self.refresh(Region(start, y, self.size.width - start if columns is None else columns, 1))

    def go_to(self, row: int) -> None:
        """Puts the cursor on a row, as near to it as there is one."""
        count = self.row_count()
        target = max(0, min(row, count - 1))
        if not count or target == self.cursor:
            return
        before, self.cursor = self.cursor, target
        if not self._bring_into_view():
            self.row_changed(before, target, columns=self.highlight)
        self.post_message(self.Moved(self, target))

    @property
    def rows_in_view(self) -> range:
        """The rows that can be seen."""
        first = self.scroll_offset.y
        return range(first, min(self.row_count(), first + self._page))

    # Keys and mouse

    def action_move(self, rows: int) -> None:
        """Moves the cursor."""
        self.go_to(self.cursor + rows)

    def action_go(self, row: int) -> None:
        """Moves the cursor to a row; negative: from the end."""
        self.go_to(row if row >= 0 else self.row_count() + row)

    def action_page(self, pages: float) -> None:
        """Moves cursor and view."""
        self.go_to(self.cursor + int(pages * self._page))

    def action_choose(self) -> None:
        """Says that the row under the cursor was chosen."""
        if self.row_count():
            self.post_message(self.Chosen(self, self.cursor, self.what(self.cursor)))

    def on_click(self, event: events.Click) -> None:
        """Puts the cursor under the mouse; twice chooses."""
        row = event.y - self._header_lines + self.scroll_offset.y
        if event.y >= self._header_lines and 0 <= row < self.row_count():
            self.go_to(row)
            if event.chain == 2:
                self.action_choose()

    def on_resize(self) -> None:
        """Fits the list to its new size."""
        self.rows_changed()

    # Painting

    def render_line(self, y: int) -> Strip:
        """One line of the view."""
        width = self.size.width
        if y < self._header_lines:
            return self._strip(self.header(width), width, self._component("header"), " ")
        row = y - self._header_lines + self.scroll_offset.y
        if row >= self.row_count():
            text = self.empty_text() if row == 0 else ""
            return Strip([Segment(set_cell_size(f"  {text}"[:width], width), self._component("dim"))], width)
        cells = self.cells(row, width - 1)
        if row != self.cursor:
            return self._strip(cells, width, self.rich_style, " ")
        strip = self._strip(cells, width, self._component("cursor"), POINTER)
        if self.highlight is None or self.highlight >= width:
            return strip
        rest = self._strip(cells, width, self.rich_style, " ")
        return Strip([*strip.crop(0, self.highlight), *rest.crop(self.highlight, width)], width)

    def _strip(self, cells: Sequence[Cell], width: int, base: Style, pointer: str) -> Strip:
        segments, left = [Segment(pointer, base)], width - 1
        for text, columns, style in cells:
            taken = min(columns or left, left)
            if taken <= 0:
                break
            segments.append(Segment(set_cell_size(text, taken), base + self._foreground(style) if style else base))
            left -= taken
        if left > 0:
            segments.append(Segment(" " * left, base))
        return Strip(segments, width).simplify()

    def _component(self, name: str) -> Style:
        return self.get_component_rich_style(f"line-list--{name}")

    def _foreground(self, name: str) -> Style:
        """A style's own colour and weight, without the background, which is the row's."""
        style = self._component(name)
        return Style(color=style.color, bold=style.bold or None, italic=style.italic or None)

    @property
    def _header_lines(self) -> int:
        return 1 if self.header(self.size.width) else 0

    @property
    def _page(self) -> int:
        return max(1, self.size.height - self._header_lines)

    def _bring_into_view(self) -> bool:
        """Scrolls where the cursor is out of view, by half a page or more; whether it did."""
        if not self.size.height:
            # Not laid out yet: a view of no height would begin at the cursor.
            return False
        first, page = self.scroll_offset.y, self._page
        if first <= self.cursor < first + page:
            return False
        half = page // 2
        top = self.cursor - page + 1 + half if self.cursor >= first + page else self.cursor - half
        top = max(0, min(top, self.row_count() - page))
        self.scroll_to(y=top, animate=False, force=True, immediate=True)
        return round(self.scroll_offset.y) != first
