"""A form as a list: values that are typed or chosen, and several of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from dct_tui.inert import one_line

from .line_list import Cell, LineList

Kind: TypeAlias = Literal["value", "on", "off"]
SIGNS: dict[Kind, str] = {"value": "   ", "on": "[x]", "off": "[ ]"}
NAMED = 22
"""Columns of a row's sign and name."""


@dataclass(frozen=True)
class Choice:
    """One row; texts need not be inert.

    Attributes:
        key: says to its screen what it stands for.
        text: its name.
        note: its value, or what is to be known of it.
        style: of the note: a name in `STYLES`, or empty.
    """

    kind: Kind
    key: str
    text: str
    note: str = ""
    style: str = ""


class ChoiceList(LineList):
    """The rows of a form."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: list[Choice] = []

    def show(self, rows: Sequence[Choice]) -> None:
        """Shows these rows, repainting those that are others than before."""
        before, self.rows = self.rows, list(rows)
        if len(before) != len(rows):
            self.rows_changed()
        else:
            self.row_changed(*(place for place, row in enumerate(rows) if row != before[place]))

    @property
    def at(self) -> Choice | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.rows else None

    def row_count(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def cells(self, row: int, width: int) -> Sequence[Cell]:
        """Its sign, its name, and what is to be known of it."""
        choice = self.rows[row]
        named = f" {SIGNS[choice.kind]} {one_line(choice.text, NAMED - 6)}"
        return [(named, NAMED, ""), (one_line(choice.note, max(1, width - NAMED)), 0, choice.style)]
