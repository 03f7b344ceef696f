"""The first line of every screen: where one is, in which session, and what the engine is doing."""

from __future__ import annotations

from rich.segment import Segment
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from dct_tui.inert import columns, one_line

PLACES = ("home", "fit", "features", "chat", "export")
GAP = "  "


class StatusLine(Widget):
    """One line, repainted only where its words change."""

    DEFAULT_CSS = """
    StatusLine {
        dock: top;
        height: 1;
        background: $surface;
        color: $foreground;
        & > .status--here { text-style: bold reverse; }
        & > .status--dim { color: $text-muted; }
    }
    """
    COMPONENT_CLASSES = {"status--here", "status--dim"}  # noqa: RUF012  # Textual's own annotation is not ClassVar

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place
        self._session = ""
        self._engine = ""

    def say(self, session: str, engine: str) -> None:
        """Shows the open session and the engine's state in a few words."""
        if (session, engine) != (self._session, self._engine):
            self._session, self._engine = session, engine
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line: places on the left, session in the middle, engine on the right."""
        width = self.size.width
        here, dim = self.get_component_rich_style("status--here"), self.get_component_rich_style("status--dim")
        segments, used = [], 0
        for number, place in enumerate(PLACES, 1):
            # Where it is narrow the places one is not at are numbers alone.
            text = f" {number} {place} " if place == self.place or width >= 100 else f" {number} "
            segments.append(Segment(text, here if place == self.place else dim))
            used += len(text)
        engine = one_line(self._engine, max(0, width // 3))
        session = one_line(self._session, max(0, width - used - columns(engine) - 2 * len(GAP)))
        gap = width - used - len(GAP) - columns(session) - columns(engine)
        segments += [Segment(GAP + session, self.rich_style), Segment(" " * max(0, gap - 1) + engine + " ", dim)]
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        """Goes to the place that was clicked."""
        at = 0
        for number, place in enumerate(PLACES, 1):
            wide = place == self.place or self.size.width >= 100
            at += len(f" {number} {place} " if wide else f" {number} ")
            if event.x < at:
                self.app.call_later(self.app.run_action, f"app.go('{place}')")
                return
