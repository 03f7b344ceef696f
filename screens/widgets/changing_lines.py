"""A few lines that change now and then, of which only what changed is repainted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TypeAlias

from rich.cells import cell_len
from textual.strip import Strip

from .styled_lines import StyledLines

Line: TypeAlias = list[tuple[str, str]]
"""Pieces of inert text, each with a style: a name in `styled_lines.STYLES`, or empty."""


class ChangingLines(StyledLines):
    """Lines of text. Those that differ from what is shown are repainted, from the first piece that does."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.lines: tuple[tuple[tuple[str, str], ...], ...] = ()

    def show(self, lines: Sequence[Sequence[tuple[str, str]]]) -> None:
        """Shows these lines in place of those before."""
        before, self.lines = self.lines, tuple(tuple(line) for line in lines)
        for y, (old, new) in enumerate(zip_longest(before, self.lines, fillvalue=())):
            if old != new and y < self.size.height:
                start, end = _changed(old, new)
                self.line_changed(y, start, max(1, end - start))

    def render_line(self, y: int) -> Strip:
        """One line."""
        return self.strip(self.lines[y] if y < len(self.lines) else ())


def _changed(old: Sequence[tuple[str, str]], new: Sequence[tuple[str, str]]) -> tuple[int, int]:
    """The columns from the first to the last that differ, as start and end."""
    one, other = _cells(old), _cells(new)
    length = max(len(one), len(other))
    one += [(" ", "")] * (length - len(one))
    other += [(" ", "")] * (length - len(other))
    differ = [column for column in range(length) if one[column] != other[column]]
    return (differ[0], differ[-1] + 1) if differ else (0, 0)


def _cells(line: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """What stands in each column; the second column of a wide character is empty."""
    cells: list[tuple[str, str]] = []
    for text, style in line:
        if text.isascii():
            cells += [(char, style) for char in text]
            continue
        for char in text:
            width = cell_len(char)
            if not width and cells:
                cells[-1] = (cells[-1][0] + char, style)
            cells += [(char, style), ("", style)][:width]
    return cells
