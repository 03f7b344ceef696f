"""What the keys of the features screen act on: the list, the pane, the line below, and the triage behind them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.timer import Timer

from dct_tui.errors import DctError
from dct_tui.inert import one_line
from dct_tui.triage.orders import Order
from dct_tui.triage.rows import FeatureRow
from dct_tui.triage.settings import TriageSettings, read_settings, write_settings
from dct_tui.triage.triage import Triage

from .base import BaseScreen
from .features_sampling import Sampler
from .features_text import head_lines, sample_lines, shown_strength, strength_lines
from .keymap import with_keys
from .widgets.changing_lines import ChangingLines, Line
from .widgets.feature_list import FeatureList
from .widgets.reading_pane import ReadingPane

REST_S = 0.15
"""So long after the last key the pane is repainted and samples are asked for."""


class TriageScreen(BaseScreen[None]):
    """The state of the features screen, and what is repainted when it changes."""

    PLACE: ClassVar[str] = "features"

    listed: FeatureList
    pane: ReadingPane
    triage: Triage
    sampler: Sampler
    settings: TriageSettings
    strength: float | None = None
    """Chosen by a person for the feature under the cursor; None: that by which it is shown."""
    _rest: Timer | None = None
    _message = ""
    _said_at = 0
    """The row on which it was said."""
    _strength_of: int | None = None

    def open_triage(self) -> None:
        """Begins the triage of the open session."""
        session = self.workbench.opened().session
        self.settings = read_settings(session.path)
        self.triage = Triage(session, Order(self.settings.order, self.settings.reverse))
        self.triage.marks.take_pen()
        self.sampler = Sampler(self.workbench.link, self.triage, self.settings, self.pulse)

    def set_settings(self, settings: TriageSettings) -> None:
        """Takes settings and keeps them in the session's folder."""
        if settings != self.settings:
            self.settings = self.sampler.settings = settings
            write_settings(self.triage.session.path, settings)

    # What is acted on

    @property
    def row(self) -> FeatureRow:
        """The row under the cursor. Raises DctError where there is none."""
        here = self.listed.here
        if here is None:
            raise DctError("there is no feature here", with_keys("{features.escape} shows all of them"))
        return self.triage.rows[here]

    @property
    def selected(self) -> frozenset[int]:
        """The selected features; the open session's other places see them too."""
        return self.workbench.opened().selected & self.triage.rows.keys()

    def select(self, features: Iterable[int]) -> None:
        """Selects features, and repaints those that change."""
        chosen = frozenset(features)
        changed = set(chosen ^ self.listed.selected)
        self.workbench.opened().selected = self.listed.selected = chosen
        self.listed.features_changed(changed, marks_only=True)
        self.show_counts()

    def targets(self) -> list[int]:
        """The selected features in the order of their rank, else the one under the cursor."""
        chosen = sorted(self.selected, key=lambda index: self.triage.rows[index].rank)
        return chosen or [self.row.index]

    # What is shown

    def say(self, message: str) -> None:
        """Says something in the line below, until the cursor moves."""
        self._message, self._said_at = message, self.listed.cursor
        self.show_counts()

    def show_counts(self) -> None:
        """Counts, pace, samples; then what was said, or how the list is kept and ordered."""
        triage = self.triage
        if not triage.rows:
            self.query_one("#counts", ChangingLines).show([[(self._message, "warn")]])
            return
        line: Line = [(f" {triage.count_words()} · {self._sampling_words()}", "")]
        if not triage.marks.writes:
            writer = triage.marks.writer
            line.append((f" · read along: {writer} marks" if writer else " · read only", "warn"))
        if self.selected:
            line.append((f" · {len(self.selected)} selected", "accent"))
        if self._message:
            line.append((f" · {one_line(self._message, self.size.width)}", "warn"))
        else:
            line.append((f" · {self._list_words()}", "dim"))
        self.query_one("#counts", ChangingLines).show([line])

    def _sampling_words(self) -> str:
        sampled, of = self.triage.sampled(), len(self.triage.rows)
        words = "all sampled" if sampled == of else f"{sampled} sampled"
        if self.sampler.problem:
            return f"{words} (stopped: {one_line(self.sampler.problem, 60)})"
        if not self.sampler.on and sampled < of:
            return f"{words} (b samples)"
        return words

    def _list_words(self) -> str:
        triage = self.triage
        order = f"by {triage.order.name}{', reversed' if triage.order.reverse else ''}"
        if not triage.filter:
            return order
        return f"{len(triage.shown)} of {len(triage.rows)}, {order}"

    def show_list(self, feature: int | None) -> None:
        """Paints the list anew after a filter or an order; the cursor goes with a feature, if it is there."""
        self.listed.missing = self._nothing_words()
        self.listed.list_changed(feature)
        self.moved()

    def _nothing_words(self) -> str:
        if self.triage.rows:
            return with_keys("No feature passes the filter: {features.escape} shows all.")
        session = self.triage.session
        if session.has_fit:
            return "The features are fitted and not described yet: 2 shows the fit."
        return "There are no features yet: 2 shows the fit."

    def moved(self, *, said_here: bool = False) -> None:
        """Another feature is under the cursor, or another part of the list in view: all else waits for a rest.

        Args:
            said_here: whether what was last said was said where the cursor is now, and stays.
        """
        if self.listed.here != self._strength_of:
            self.strength = None
        if not said_here:
            self._message = ""
        self.show_counts()
        self.rest()

    def rest(self) -> None:
        """Paints the pane and asks for samples once the keys have rested."""
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST_S, self.settle)

    def settle(self) -> None:
        """The keys have rested."""
        self.show_pane()
        self.sample()

    def show_pane(self, *, top: bool = True) -> None:
        """Paints the pane, if it is in sight."""
        if self.pane.display:
            self.pane.show(self.pane_lines, top=top)

    def pane_lines(self, width: int) -> list[Line]:
        """What stands in the pane."""
        here = self.listed.here
        row = self.triage.rows.get(here) if here is not None else None
        if row is None:
            return []
        strength = shown_strength(row, self.strength)
        samples = sample_lines(row, self.triage.samples, strength, width)
        return [*head_lines(row, width), [], *strength_lines(row, strength), *(samples or self._unsampled_words())]

    def _unsampled_words(self) -> list[Line]:
        words = "its samples are waited for" if self.sampler.on else "b samples the features in the background"
        return [[], [(words, "dim")]]

    def sample(self) -> None:
        """Asks for samples of what is in view, if they are wanted and not there."""
        view = [self.triage.shown[row] for row in self.listed.rows_in_view if row < len(self.triage.shown)]
        if self.sampler.stale(view):
            self.attempt(self.sampler.run(view, list(self.triage.shown)), "sampling", alone=True)
