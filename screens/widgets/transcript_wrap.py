"""Text wrapped to a width, that grows at its end at the cost of its last line."""

from __future__ import annotations

import re

from rich.cells import get_character_cell_size

from dct_tui.inert import inert

TAB = "    "
JOINING = re.compile("[\u200c\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")
"""Joiners, variants and skin tones. Terminals do not agree how wide what they join is, so they are left out."""


class Wrapped:
    """Text made inert and wrapped: at spaces, between wide characters, else where a line is full.

    Where a line begins never depends on what follows it, so text that grows changes its last line and adds others.

    Attributes:
        width: in columns, 2 at least.
        lines: without the spaces at their ends; always one at least.
    """

    def __init__(self, text: str, width: int) -> None:
        self.width = max(2, width)
        self.lines: list[str] = []
        self._text = ""
        self._last = 0
        self.grow(text)

    def grow(self, text: str) -> None:
        """Adds text at the end."""
        self._text += JOINING.sub("", inert(text).replace("\t", TAB))
        del self.lines[-1:]
        start: int | None = self._last
        while start is not None:
            self._last = start
            end, start = self._line(start)
            self.lines.append(self._text[self._last : end].rstrip(" "))

    def _line(self, start: int) -> tuple[int, int | None]:
        """Where the line that begins at `start` ends, and where the next begins; None: there is none."""
        text, used = self._text, 0
        broken: tuple[int, int] | None = None
        for at in range(start, len(text)):
            char = text[at]
            if char == "\n":
                return at, at + 1
            if char == " ":
                # Spaces may hang over the edge; those that begin a line are its indentation.
                used += 1
                if at == start or text[at - 1] != " ":
                    first = at
                if first > start:
                    broken = first, at + 1
                continue
            columns = _columns(char)
            if columns == 2 and at > start:
                broken = at, at
            if used + columns > self.width:
                return broken or ((at, at) if at > start else (at + 1, at + 1))
            used += columns
        return len(text), None


def _columns(char: str) -> int:
    return 1 if char.isascii() else get_character_cell_size(char)
