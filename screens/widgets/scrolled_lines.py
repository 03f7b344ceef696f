"""Lines that are scrolled: only those that look otherwise afterwards are repainted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.strip import Strip

from .changing_lines import Line
from .styled_lines import StyledLines

Lines = Callable[[int], Sequence[Line]]
"""Gives the lines for a width."""
WHEEL = 3


class ScrolledLines(StyledLines, can_focus=True):
    """Lines to read, as many as there are.

    It scrolls by itself: Textual's own scrolling lays the screen out anew, and lags behind keys that come fast.
    """

    DEFAULT_CSS = """
    ScrolledLines { padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "roll(1)", "Down", id="reading.down", show=False, tooltip="A line down"),
        Binding("k,up", "roll(-1)", "Up", id="reading.up", show=False, tooltip="A line up"),
        Binding("g,home", "roll(-1000000)", "Top", id="reading.top", show=False, tooltip="To the top"),
        Binding("G,end", "roll(1000000)", "Bottom", id="reading.bottom", show=False, tooltip="To the end"),
        Binding("pagedown,ctrl+d,ctrl+f", "page(1)", "Page", id="reading.page_down", show=False, tooltip="Page down"),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", id="reading.page_up", show=False, tooltip="Page up"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.text: Sequence[Line] = ()
        self.top = 0
        """The first line in view."""
        self._lines: Lines = lambda width: ()

    def show(self, lines: Lines, *, top: bool = True) -> None:
        """Shows these lines, from the top or from where it stands."""
        self._lines = lines
        before = self._in_view()
        self._wrap()
        if top:
            self.top = 0
        self._repaint(before)

    @property
    def more(self) -> bool:
        """Whether there are lines below those in view."""
        return self.top < self._last_top

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Where its height is its own: all lines."""
        return len(self._lines(width))

    def on_resize(self) -> None:
        """Wraps anew."""
        self._wrap()
        self.refresh()

    def action_roll(self, lines: int) -> None:
        """Scrolls by lines."""
        before = self._in_view()
        self.top = max(0, min(self.top + lines, self._last_top))
        self._repaint(before)

    def action_page(self, pages: int) -> None:
        """Scrolls by pages, less a line."""
        self.action_roll(pages * max(1, self.content_size.height - 1))

    def on_mouse_scroll_down(self) -> None:
        """The wheel."""
        self.action_roll(WHEEL)

    def on_mouse_scroll_up(self) -> None:
        """The wheel."""
        self.action_roll(-WHEEL)

    def render_line(self, y: int) -> Strip:
        """One line of the view."""
        at = y + self.top
        return self.strip(self.text[at] if at < len(self.text) else ())

    @property
    def _last_top(self) -> int:
        return max(0, len(self.text) - self.content_size.height)

    def _wrap(self) -> None:
        width = self.content_size.width
        self.text = self._lines(width) if width > 1 else ()
        self.top = max(0, min(self.top, self._last_top))

    def _in_view(self) -> list[Line]:
        return list(self.text[self.top : self.top + self.content_size.height])

    def _repaint(self, before: Sequence[Line]) -> None:
        now = self._in_view()
        for y in range(max(len(before), len(now))):
            old, new = before[y : y + 1], now[y : y + 1]
            if old != new and (any(old) or any(new)):
                self.line_changed(y)
