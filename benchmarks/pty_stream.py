"""What a program writes to a terminal, taken apart: texts, controls and escape sequences; and their picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rich.cells import cell_len

Kind: TypeAlias = Literal["text", "control", "csi", "osc", "other"]

_CSI = re.compile(r"\x1b\[([<=>?]?)([0-9;:]*)([ -/]*)([@-~])")
_OSC = re.compile(r"\x1b\]([^\x07\x1b\x9c]*)(?:\x07|\x1b\\)")
_STRING = re.compile(r"\x1b[PX^_].*?\x1b\\", re.DOTALL)
_TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True)
class Token:
    """One piece of the stream.

    Attributes:
        whole: as it was written.
        final: of a `csi` its last character with its marks, such as `m`, `?h`; else empty.
        numbers: of a `csi`.
    """

    kind: Kind
    whole: str
    final: str = ""
    numbers: tuple[int, ...] = ()


def tokens(stream: str) -> Iterator[Token]:
    """The pieces, in order; together they are the stream."""
    at = 0
    while at < len(stream):
        token = _token(stream, at)
        yield token
        at += len(token.whole)


def _token(stream: str, at: int) -> Token:
    if found := _TEXT.match(stream, at):
        return Token("text", found[0])
    if found := _CSI.match(stream, at):
        numbers = tuple(int(number) if number else 0 for number in re.split("[;:]", found[2])) if found[2] else ()
        return Token("csi", found[0], found[1] + found[3] + found[4], numbers)
    if found := _OSC.match(stream, at):
        return Token("osc", found[0])
    if found := _STRING.match(stream, at):
        return Token("other", found[0])
    if stream[at] == "\x1b":
        return Token("other", stream[at : at + 2])
    return Token("control", stream[at])


COLOURS = {*range(30, 40), *range(40, 50), *range(90, 98), *range(100, 108)} - {39, 49}


def has_colours(token: Token) -> bool:
    """Whether a sequence sets a colour."""
    return token.final == "m" and any(number in COLOURS for number in token.numbers)


def has_24_bits(token: Token) -> bool:
    """Whether a sequence sets a colour by its red, green and blue."""
    pairs = zip(token.numbers, token.numbers[1:], strict=False)
    return token.final == "m" and any(pair in ((38, 2), (48, 2)) for pair in pairs)


class Picture:
    """What a terminal would show of the stream: enough of one for what full-screen programs write."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._rest = ""
        self._cells: list[list[str]] = []
        self._x = self._y = 0
        self._wraps = True
        self._clear()

    @property
    def text(self) -> str:
        """The lines."""
        return "\n".join("".join(row).rstrip() for row in self._cells)

    def feed(self, stream: str) -> None:
        """Takes what was written; a sequence cut in two waits for its other half."""
        stream = self._rest + stream
        cut = stream.rfind("\x1b", max(0, len(stream) - 64))
        whole = cut < 0 or _CSI.match(stream, cut) or _OSC.match(stream, cut)
        stream, self._rest = (stream, "") if whole else (stream[:cut], stream[cut:])
        for token in tokens(stream):
            if token.kind == "text":
                self._write(token.whole)
            elif token.kind == "control":
                self._control(token.whole)
            elif token.kind == "csi":
                self._sequence(token.final, token.numbers)

    def _write(self, text: str) -> None:
        for char in text:
            width = cell_len(char)
            if not width:
                continue
            if self._x + width > self.columns:
                wrapped = (0, min(self._y + 1, self.rows - 1))
                self._x, self._y = wrapped if self._wraps else (self.columns - width, self._y)
            self._cells[self._y][self._x] = char
            for column in range(self._x + 1, self._x + width):
                self._cells[self._y][column] = ""
            self._x += width

    def _control(self, char: str) -> None:
        if char == "\r":
            self._x = 0
        elif char == "\n":
            self._y = min(self._y + 1, self.rows - 1)
        elif char == "\b":
            self._x = max(0, self._x - 1)

    def _sequence(self, final: str, numbers: tuple[int, ...]) -> None:
        first = numbers[0] if numbers else 0
        if final in ("H", "f"):
            self._y = min(max(first, 1), self.rows) - 1
            self._x = min(max(numbers[1] if len(numbers) > 1 else 1, 1), self.columns) - 1
        elif final == "A":
            self._y = max(0, self._y - max(first, 1))
        elif final == "B":
            self._y = min(self.rows - 1, self._y + max(first, 1))
        elif final == "C":
            self._x = min(self.columns - 1, self._x + max(first, 1))
        elif final == "D":
            self._x = max(0, self._x - max(first, 1))
        elif final == "K" and not first:
            self._cells[self._y][self._x :] = [" "] * (self.columns - self._x)
        elif (final == "J" and first in (2, 3)) or (final in ("?h", "?l") and first == 1049):
            self._clear()
        elif final in ("?h", "?l") and first == 7:
            self._wraps = final == "?h"

    def _clear(self) -> None:
        self._cells = [[" "] * self.columns for _ in range(self.rows)]
        self._x = self._y = 0
