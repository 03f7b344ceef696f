"""Two or three features side by side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.widgets import Static

from dct_tui.triage.triage import Triage

from .features_text import head_lines, sample_lines, shown_strength, strength_line, strengths_of
from .widgets.changing_lines import Line
from .widgets.reading_pane import ReadingPane


class ComparePane(ReadingPane, can_focus=False):
    """One of the features."""


class CompareScreen(ModalScreen[None]):
    """Features side by side, at the same strength where they were sampled at it, and the unsteered texts below each."""

    DEFAULT_CSS = """
    CompareScreen {
        background: $background;
        Horizontal { height: 1fr; }
        ComparePane { width: 1fr; height: 1fr; border-right: solid $surface-lighten-2; }
        .compare--keys { dock: bottom; height: 1; background: $surface; color: $text-muted; padding: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "roll(1)", "Down", id="compare.down", tooltip="A line down"),
        Binding("k,up", "roll(-1)", "Up", id="compare.up", tooltip="A line up"),
        Binding("space,pagedown,ctrl+d", "roll(10)", "Page down", id="compare.page_down", tooltip="Some lines down"),
        Binding("pageup,ctrl+u", "roll(-10)", "Page up", id="compare.page_up", tooltip="Some lines up"),
        Binding("h,left", "strength(-1)", "Weaker", id="compare.weaker", tooltip="Samples at a lower strength"),
        Binding("l,right", "strength(1)", "Stronger", id="compare.stronger", tooltip="Samples at a higher strength"),
        Binding("q,escape,equals_sign", "leave", "Close", id="compare.close", tooltip="Back to the list"),
    ]

    def __init__(self, triage: Triage, features: Sequence[int]) -> None:
        super().__init__()
        self.triage, self.features = triage, features
        self.strength: float | None = None

    def compose(self) -> ComposeResult:
        """A pane each."""
        with Horizontal():
            for _ in self.features:
                yield ComparePane()
        yield Static("j k scroll   h l strength   q closes", classes="compare--keys")

    def on_mount(self) -> None:
        """Fills the panes."""
        self.fill()

    def fill(self) -> None:
        """Shows the features at the strength."""
        for pane, feature in zip(self.query(ComparePane), self.features, strict=True):
            pane.show(partial(self._lines, feature), top=False)

    def _lines(self, feature: int, width: int) -> list[Line]:
        row = self.triage.rows[feature]
        strength = shown_strength(row, self.strength)
        samples = sample_lines(row, self.triage.samples, strength, width)
        return [*head_lines(row, width), [], strength_line(row, strength), *samples]

    def action_roll(self, lines: int) -> None:
        """Scrolls all of them."""
        for pane in self.query(ComparePane):
            pane.action_roll(lines)

    def action_strength(self, step: int) -> None:
        """Takes the next strength at which any of them was sampled."""
        rows = [self.triage.rows[feature] for feature in self.features]
        every = sorted({strength for row in rows for strength in strengths_of(row)})
        if every:
            now = self.strength if self.strength in every else shown_strength(rows[0], None)
            place = every.index(now) if now in every else 0
            self.strength = every[max(0, min(place + step, len(every) - 1))]
            self.fill()

    def action_leave(self) -> None:
        """Closes."""
        self.dismiss(None)
