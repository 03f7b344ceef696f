"""The triage list: a feature a line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from dct_tui.inert import one_line
from dct_tui.triage.filters import Anywhere, Contains, Filter, InField
from dct_tui.triage.rows import FeatureRow
from dct_tui.triage.triage import Triage

from .line_list import Cell, LineList

SELECTED = "▪"
STYLES = {"starred": "warn", "rejected": "bad", None: ""}
LOOKED_AT = 400
"""Characters of a text of which some may come into a line."""
NEAR = 24
"""A word that begins by then is in sight where a line begins with the text."""
SAME = "= unsteered"
HALF = 0.5


class FeatureList(LineList):
    """The features in the list: selected ▪, mark ★ or ✗, rank, index, words, effect, share changed, a line of sample.

    The effect is the KL divergence at strength 1 in nats a token, or in the order of a contrast its score. A ! after
    the share changed says that half of the texts or more are broken.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Read", id="features.read", tooltip="Read this feature's samples"),
    ]

    triage: Triage | None = None
    selected: frozenset[int] = frozenset()
    missing = ""
    """What is said in place of rows."""

    # What the list asks

    def row_count(self) -> int:
        """How many features pass the filter."""
        return len(self.triage.shown) if self.triage is not None else 0

    def cells(self, row: int, width: int) -> Sequence[Cell]:
        """A feature."""
        assert self.triage is not None
        feature = self.triage.rows[self.triage.shown[row]]
        words, tags = self._columns(width)
        share = changed_words(feature.changed, feature.broken)
        cells: list[Cell] = [
            # What is blank has no style, for a change of style costs more bytes than a line has columns.
            (SELECTED, 1, "accent") if feature.index in self.selected else (" ", 1, ""),
            (feature.mark, 2, STYLES[feature.marks.verdict]),
            (f"{feature.rank:>4} ", 5, ""),
            (f"{feature.index:>4} ", 5, ""),
            (one_line(" ".join(feature.words), words - 1), words, ""),
            (f"{self._effect(feature):>6} ", 7, ""),
            (f"{share:>6}  ", 8, ""),
        ]
        names = " ".join(f"#{tag}" for tag in sorted(feature.marks.tags))
        if tags:
            cells.append((one_line(names, tags - 1), tags, "accent"))
        elif names:
            shown = one_line(names, 12)
            cells.append((f"{shown} ", 0 if width < 60 else len(shown) + 1, "accent"))
        return [*cells, self._line(feature, width)]

    def header(self, width: int) -> Sequence[Cell]:
        """Names of the columns."""
        words, tags = self._columns(width - 1)
        contrast = self.triage is not None and self.triage.order.name == "contrast"
        head: list[Cell] = [
            ("", 3, ""),
            ("rank", 5, ""),
            (" no.", 5, ""),
            ("words", words, ""),
            ("contr." if contrast else "effect", 7, ""),
            ("changed ", 8, ""),
        ]
        return [*head, *([("tags", tags, "")] if tags else []), ("sample", 0, "")]

    def empty_text(self) -> str:
        """Why there are none."""
        return self.missing

    # Columns

    def on_resize(self) -> None:
        """Columns fit the width; the cursor covers them up to the words."""
        words, _ = self._columns(self.size.width - 1)
        self.highlight = 14 + words
        super().on_resize()

    @staticmethod
    def _columns(width: int) -> tuple[int, int]:
        """Columns of words and of tags."""
        return (14, 0) if width < 60 else (18, 0) if width < 90 else (24, 12)

    def _effect(self, feature: FeatureRow) -> str:
        contrast = self.triage is not None and self.triage.order.name == "contrast"
        value = feature.contrast if contrast else feature.kl
        if value is None:
            return "·"
        return "∞" if math.isinf(value) else f"{value:.3g}" if abs(value) < 1e4 else f"{value:.0e}"

    def _line(self, feature: FeatureRow, width: int) -> Cell:
        seen = feature.evidence
        line = (self.triage and found_text(feature, self.triage.filter)) or seen.line
        if line:
            return (one_line(line[:LOOKED_AT], width), 0, "")
        return (SAME if seen.samples else "", 0, "dim")

    # What changed

    @property
    def here(self) -> int | None:
        """The feature under the cursor."""
        shown = self.triage.shown if self.triage is not None else []
        return shown[self.cursor] if self.cursor < len(shown) else None

    def place_of(self, feature: int) -> int | None:
        """The row a feature stands in."""
        assert self.triage is not None
        try:
            return self.triage.shown.index(feature)
        except ValueError:
            return None

    def features_changed(self, features: set[int], *, marks_only: bool = False) -> None:
        """These features look otherwise now; repaints those in view."""
        if self.triage is None:
            return
        rows = [row for row in self.rows_in_view if self.triage.shown[row] in features]
        if marks_only:
            # Pointer, selection, mark.
            self.row_changed(*rows, columns=3)
        else:
            self.row_changed(*rows)

    def list_changed(self, feature: int | None) -> None:
        """The list is another one now; the cursor stays on this feature if it is still there."""
        place = self.place_of(feature) if feature is not None else None
        if place is not None:
            self.cursor = place
        self.rows_changed()


def changed_words(changed: float | None, broken: float | None) -> str:
    """A share of changed texts; a ! says that half of the texts or more are broken."""
    if changed is None:
        return "·"
    return f"{changed:.0%}" + ("!" if (broken or 0) >= HALF else "")


def found_text(feature: FeatureRow, wanted: Filter) -> str:
    """The text of a feature in which a filter's first word stands, from shortly before it; empty: it stands in none."""
    for term in wanted.terms:
        condition = term.condition
        in_samples = isinstance(condition, Anywhere) or (isinstance(condition, InField) and condition.name == "sample")
        # A regex may take long, and a line is painted at once.
        if term.inverse or not in_samples or not isinstance(condition.search, Contains):  # type: ignore[union-attr]
            continue
        search = condition.search  # type: ignore[union-attr]
        for text in feature.evidence.texts:
            if (at := (text if search.exact else text.lower()).find(search.text)) >= 0:
                return text if at < NEAR else f"…{text[at - NEAR // 2 :]}"
    return ""
