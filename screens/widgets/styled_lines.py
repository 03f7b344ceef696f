"""Lines whose pieces have named styles, in the colours of the theme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

STYLES = ("dim", "accent", "good", "bad", "warn", "bold")


class StyledLines(Widget):
    """What widgets of such lines share: the styles by name, and painting no more than what changed."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"lines--{name}" for name in STYLES}
    DEFAULT_CSS = """
    StyledLines {
        background: $background;
        color: $foreground;
        & > .lines--dim { color: $text-muted; }
        & > .lines--accent { color: $text-accent; }
        & > .lines--good { color: $text-success; text-style: bold; }
        & > .lines--bad { color: $text-error; text-style: bold; }
        & > .lines--warn { color: $text-warning; text-style: bold; }
        & > .lines--bold { text-style: bold; }
    }
    """

    def strip(self, line: Sequence[tuple[str, str]]) -> Strip:
        """A line as wide as the widget: pieces of inert text, each with a name of `STYLES`, or empty."""
        base = self.rich_style
        segments = [
            Segment(text, self.get_component_rich_style(f"lines--{name}") if name else base)
            for text, name in line
            if text
        ]
        return Strip(segments).adjust_cell_length(self.content_size.width, base).simplify()

    def line_changed(self, y: int, start: int = 0, columns: int | None = None) -> None:
        """A line of the view looks otherwise now, in these columns (None: up to its end): repaints them."""
        size = self.content_size
        width = size.width - start if columns is None else min(columns, size.width - start)
        if 0 <= y < size.height and width > 0:
            self.refresh(Region(start, y, width, 1))  # of the content: Textual adds border and padding
