"""Two or three features side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from dct_tui.sessions.marks import MarkKind
from dct_tui.triage.rows import FeatureRow

from .base import BaseScreen
from .features_marking import MarkingScreen
from .features_side_by_side import common_strengths, compared_lines, first_strength, strength_words, title_line
from .widgets.changing_lines import ChangingLines, Line
from .widgets.scrolled_lines import ScrolledLines


class CompareScreen(BaseScreen[None]):
    """Two or three features prompt by prompt, all at the same strength, to tell apart those that are nearly the same.

    Where two texts are alike, the words in which they differ are bold. "= as 12" says that a text is that of feature
    12, │ stands before the unsteered text. Where there is little room the features stand one under the other.

    The keys that judge act on the feature with › before its number; tab goes to the next of them.
    """

    PLACE: ClassVar[str] = "features"
    CSS = """
    CompareScreen {
        #compared { height: 2; background: $surface; padding: 0 1; }
        ScrolledLines { height: 1fr; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h,left", "strength(-1)", "Weaker", id="compare.weaker", tooltip="All at a lower strength"),
        Binding("l,right", "strength(1)", "Stronger", id="compare.stronger", tooltip="All at a higher strength"),
        Binding("tab", "other(1)", "Other", id="compare.other", tooltip="The next of them is the one to judge"),
        Binding("s", "judge('star')", "Star", id="compare.star", tooltip="Star the one with ›, or take the star off"),
        Binding("x", "judge('reject')", "Reject", id="compare.reject", tooltip="Reject that one, or take that back"),
        Binding("shift+tab", "other(-1)", "Before", id="compare.before", show=False, tooltip="The one before is it"),
        Binding("q,escape,equals_sign", "leave", "Back", id="compare.close", tooltip="Back to the list"),
    ]

    def __init__(self, behind: MarkingScreen, features: Sequence[int]) -> None:
        super().__init__()
        self.behind, self.features = behind, features
        self.strength = first_strength(self.rows)
        self.at = 0
        self._known = self._state()

    @property
    def rows(self) -> list[FeatureRow]:
        """Of those features."""
        return [self.behind.triage.rows[feature] for feature in self.features if feature in self.behind.triage.rows]

    def body(self) -> ComposeResult:
        """What stays in view, and what is scrolled."""
        yield ChangingLines(id="compared")
        yield ScrolledLines()

    def on_mount(self) -> None:
        """Shows them once there is a width."""
        super().on_mount()
        self.query_one(ScrolledLines).focus()

    def on_resize(self) -> None:
        """More or fewer columns."""
        self.call_after_refresh(self.fill)

    def pulse(self) -> None:
        """Samples may have come, and marks of others."""
        self.behind.pulse()
        if self._state() != self._known:
            self.fill()

    def fill(self) -> None:
        """Shows the features at the strength."""
        self._known = self._state()
        if self.strength is None:
            self.strength = first_strength(self.rows)
        head = self.query_one("#compared", ChangingLines)
        width = head.content_size.width
        head.show([strength_words(self.rows, self.strength), title_line(self.rows, self.strength, self.at, width)])
        self.query_one(ScrolledLines).show(self._lines, top=False)

    def _lines(self, width: int) -> list[Line]:
        return compared_lines(self.rows, self.behind.triage.samples, self.strength, width, alike=self._alike())

    def _alike(self) -> list[str]:
        triage, found = self.behind.triage, []
        for one, other in combinations([row.index for row in self.rows], 2):
            cosine, share = triage.likeness(one, other)
            texts = f", {share:.0%} of their own words in common" if share is not None else ""
            found.append(f"{one} and {other}: cosine {cosine:.2f}{texts}")
        return found

    def _state(self) -> object:
        return [(row.marks, row.evidence.effects) for row in self.rows]

    def action_strength(self, step: int) -> None:
        """Takes the next strength at which any of them was sampled."""
        every = common_strengths(self.rows)
        if self.strength in every:
            self.strength = every[max(0, min(every.index(self.strength) + step, len(every) - 1))]
            self.fill()

    def action_other(self, step: int) -> None:
        """Another of them is the one to be judged."""
        self.at = (self.at + step) % len(self.features)
        self.fill()

    def action_judge(self, kind: MarkKind) -> None:
        """Stars or rejects that one."""
        feature = self.features[self.at]
        self.behind.judge(kind, [feature])
        # It is done with: the next key in the list is not for it.
        self.behind.select(self.behind.selected - {feature})
        self.fill()

    def action_leave(self) -> None:
        """Closes."""
        self.dismiss(None)
