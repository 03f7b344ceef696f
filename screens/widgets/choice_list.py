"""A form as a list: headings, one of several, several of several, and values that are typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from dct_tui.inert import one_line

from .line_list import Cell, LineList

Kind: TypeAlias = Literal["heading", "one", "several", "value"]
SIGNS = {("one", True): "(•)", ("one", False): "( )", ("several", True): "[x]", ("several", False): "[ ]"}


@dataclass(frozen=True)
class Choice:
    """One row. `key` says to its screen what it stands for; texts need not be inert."""

    kind: Kind
    key: tuple[str, str]
    text: str
    note: str = ""
    is_on: bool = False
    can_be: bool = True


class ChoiceList(LineList):
    """The rows of a form; the cursor passes over headings."""

    NAMED = 15

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: list[Choice] = []

    def show(self, rows: Sequence[Choice]) -> None:
        """Shows these rows, repainting those that are others than before."""
        before, self.rows = self.rows, list(rows)
        if len(before) != len(rows):
            self.rows_changed()
            if self.rows and self.rows[self.cursor].kind == "heading":
                self.go_to(self.cursor + 1)
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
        if choice.kind == "heading":
            return [(one_line(choice.text, width), 0, "bold")]
        sign = SIGNS.get((choice.kind, choice.is_on), "   ")
        named = choice.kind == "value" or len(choice.text) < self.NAMED
        text = f" {sign} {one_line(choice.text, width - 6)}"
        columns = max(len(text) + 1, self.NAMED + 6) if named else len(text) + 2
        style = "" if choice.can_be else "dim"
        return [(text, columns, style), (one_line(choice.note, max(1, width - columns)), 0, "dim")]

    def action_move(self, rows: int) -> None:
        """Moves the cursor, over headings."""
        target = self.cursor + rows
        while 0 <= target < len(self.rows) and self.rows[target].kind == "heading":
            target += 1 if rows > 0 else -1
        if 0 <= target < len(self.rows):
            self.go_to(target)
