"""What happened in a fit, the newest at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from .line_list import Cell, LineList


class FitLog(LineList):
    """Lines with their times. While the cursor stands on the last one it stays there as lines come."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.judge", "Features", id="fit.judge", tooltip="Judge the features, once it is fitted"),
    ]
    happened: Sequence[tuple[str, str]] = ()

    def show(self, happened: Sequence[tuple[str, str]]) -> None:
        """Shows these lines, each a time and words."""
        if happened == self.happened:
            return
        known, self.happened = self.happened, happened
        follows = self.cursor >= len(known) - 1
        if follows and known == happened[: len(known)] and len(happened) + 1 <= self.size.height:
            # Only lines below came: there is room for them without moving the others.
            self.virtual_size = self.virtual_size.with_height(len(happened) + 1)
            self.row_changed(*range(len(known), len(happened)))
        else:
            self.rows_changed()
        if follows:
            self.go_to(len(happened) - 1)

    def row_count(self) -> int:
        """How many lines there are."""
        return len(self.happened)

    def cells(self, row: int, width: int) -> Sequence[Cell]:
        """Time and words."""
        at, words = self.happened[row]
        return [(at, 10, "dim"), (words, 0, "")]

    def header(self, width: int) -> Sequence[Cell]:
        """What it is."""
        return [("log", 0, "")]
