"""The reading pane: one feature's samples, in full."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from .changing_lines import Line

Lines = Callable[[int], Sequence[Line]]
"""Gives the lines for a width."""
WHEEL = 3


class ReadingPane(Widget, can_focus=True):
    """What a feature makes the model say, prompt by prompt, each beside the unsteered text (│).

    It scrolls by itself, and repaints the lines that differ: Textual's own scrolling lays the screen out anew.
    """

    STYLES: ClassVar[tuple[str, ...]] = ("dim", "accent", "good", "bad", "warn", "bold")
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "pane--dim",
        "pane--accent",
        "pane--good",
        "pane--bad",
        "pane--warn",
        "pane--bold",
    }
    DEFAULT_CSS = """
    ReadingPane {
        padding: 0 1;
        background: $background;
        color: $foreground;
        & > .pane--dim { color: $text-muted; }
        & > .pane--accent { color: $text-accent; }
        & > .pane--good { color: $text-success; }
        & > .pane--bad { color: $text-error; }
        & > .pane--warn { color: $text-warning; }
        & > .pane--bold { text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "roll(1)", "Down", id="reading.down", show=False, tooltip="A line down"),
        Binding("k,up", "roll(-1)", "Up", id="reading.up", show=False, tooltip="A line up"),
        Binding("g,home", "roll(-1000000)", "Top", id="reading.top", show=False, tooltip="To the top"),
        Binding("G,end", "roll(1000000)", "Bottom", id="reading.bottom", show=False, tooltip="To the end"),
        Binding("pagedown,ctrl+d,ctrl+f", "page(1)", "Page", id="reading.page_down", show=False, tooltip="Page down"),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", id="reading.page_up", show=False, tooltip="Page up"),
        Binding("J", "screen.step(1)", "Next", id="reading.next", tooltip="The next feature of the list"),
        Binding("K", "screen.step(-1)", "Previous", id="reading.previous", tooltip="The feature before"),
        Binding("q,escape,enter", "screen.stop_reading", "Back", id="reading.back", tooltip="Back to the list"),
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
        self.text = lines(self._width) if self._width > 1 else ()
        self.top = 0 if top else max(0, min(self.top, self._last_top))
        self._repaint(before)

    @property
    def more(self) -> bool:
        """Whether there are lines below those in view."""
        return self.top < self._last_top

    def on_resize(self) -> None:
        """Wraps anew."""
        self.text = self._lines(self._width) if self._width > 1 else ()
        self.top = max(0, min(self.top, self._last_top))
        self.refresh()

    def action_roll(self, lines: int) -> None:
        """Scrolls by lines."""
        before = self._in_view()
        self.top = max(0, min(self.top + lines, self._last_top))
        self._repaint(before)

    def action_page(self, pages: int) -> None:
        """Scrolls by pages, less a line."""
        self.action_roll(pages * max(1, self._height - 1))

    def on_mouse_scroll_down(self) -> None:
        """The wheel."""
        self.action_roll(WHEEL)

    def on_mouse_scroll_up(self) -> None:
        """The wheel."""
        self.action_roll(-WHEEL)

    def render_line(self, y: int) -> Strip:
        """One line of the view."""
        at = y + self.top
        line = self.text[at] if at < len(self.text) else ()
        segments = [Segment(text, self._style(name)) for text, name in line if text]
        return Strip(segments).adjust_cell_length(self._width, self.rich_style).simplify()

    @property
    def _width(self) -> int:
        return self.content_size.width

    @property
    def _height(self) -> int:
        return self.content_size.height

    @property
    def _last_top(self) -> int:
        return max(0, len(self.text) - self._height)

    def _in_view(self) -> list[Line]:
        return list(self.text[self.top : self.top + self._height])

    def _repaint(self, before: Sequence[Line]) -> None:
        now, gutter = self._in_view(), self.gutter
        for y in range(max(len(before), len(now))):
            old, new = before[y : y + 1], now[y : y + 1]
            if old != new and (any(old) or any(new)):
                self.refresh(Region(gutter.left, gutter.top + y, self._width, 1))

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"pane--{name}") if name else self.rich_style
