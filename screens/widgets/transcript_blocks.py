"""What stands in a transcript: messages as lines, side by side where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Protocol

from rich.cells import cell_len, set_cell_size

from dct_tui.inert import one_line

from .transcript_wrap import Wrapped

Span = tuple[str, str]
"""Inert text and the name of a style."""
Line = tuple[Span, ...]

INDENT = "  "
BETWEEN = " │ "
WIDEST = 110


class Block(Protocol):
    """Some lines of a transcript that belong together."""

    def lines(self, width: int, beside: bool) -> list[Line]:
        """At a width in columns; `beside` says whether there is room for two columns of text."""


@dataclass
class Note:
    """Lines that nobody said."""

    text: str
    style: str = "dim"

    def lines(self, width: int, beside: bool) -> list[Line]:
        """Wrapped, a line between it and what follows."""
        wrapped = Wrapped(self.text, min(WIDEST, width - len(INDENT))).lines
        return [((INDENT + line, self.style),) for line in wrapped] + [()]


@dataclass
class Said:
    """A person's message."""

    text: str

    def lines(self, width: int, beside: bool) -> list[Line]:
        """Marked at its first line."""
        wrapped = Wrapped(self.text, min(WIDEST, width - len(INDENT))).lines
        return [((f"{'›' if first else ' '} {line}", "bold"),) for first, line in _marked(wrapped)] + [()]


class Replied:
    """A reply, perhaps still growing, with the setting it had; and perhaps the unsteered one beside it.

    Attributes:
        setting: what was in force.
        changed: whether that is not what it was at the reply before.
        notes: what is to be said of it, below.
        shared: whether steered replies stand above, which the unsteered model has read too and may imitate.
    """

    def __init__(
        self,
        setting: str,
        steered: str,
        unsteered: str | None = None,
        *,
        changed: bool = False,
        notes: Sequence[Span] = (),
        shared: bool = False,
    ) -> None:
        self.shared = shared
        self.setting, self.changed, self.notes = setting, changed, tuple(notes)
        self.texts = {"steered": steered} if unsteered is None else {"steered": steered, "unsteered": unsteered}
        self._wrapped: dict[str, Wrapped] = {}

    def grow(self, side: str, text: str) -> None:
        """More of one side."""
        self.texts[side] += text
        if side in self._wrapped:
            self._wrapped[side].grow(text)

    def lines(self, width: int, beside: bool) -> list[Line]:
        """In two columns where there is room for them."""
        room = min(2 * WIDEST, width - len(INDENT))
        if len(self.texts) == 1:
            lines = [self._head(width), *self._column("steered", min(WIDEST, room))]
        elif not beside:
            lines = [
                self._head(width),
                *self._column("steered", room),
                ((INDENT + one_line(f"┄ {self._other}", room), "dim"),),
            ]
            lines += self._column("unsteered", room)
        else:
            lines = self._beside((room - len(BETWEEN)) // 2)
        return [*lines, *(((INDENT + one_line(text, room), style),) for text, style in self.notes), ()]

    def _head(self, width: int) -> Line:
        return ((one_line(self._title, width), "accent" if self.changed else "dim"),)

    @property
    def _title(self) -> str:
        return f"◆ now {self.setting}" if self.changed else f"· {self.setting}"

    @property
    def _other(self) -> str:
        return "unsteered, same conversation" if self.shared else "unsteered"

    def _column(self, side: str, width: int) -> list[Line]:
        return [((INDENT + line, ""),) for line in self._wrap(side, width)]

    def _beside(self, width: int) -> list[Line]:
        head = set_cell_size(one_line(self._title, width + len(INDENT)), width + len(INDENT))
        lines: list[Line] = [
            ((head, "accent" if self.changed else "dim"), (BETWEEN, "dim"), (one_line(self._other, width), "dim"))
        ]
        for left, right in zip_longest(self._wrap("steered", width), self._wrap("unsteered", width), fillvalue=""):
            lines.append(((set_cell_size(INDENT + left, width + len(INDENT)), ""), (BETWEEN, "dim"), (right, "")))
        return lines

    def _wrap(self, side: str, width: int) -> list[str]:
        wrapped = self._wrapped.get(side)
        if wrapped is None or wrapped.width != max(2, width):
            wrapped = self._wrapped[side] = Wrapped(self.texts[side], width)
        return wrapped.lines


def changed_columns(before: Line, after: Line) -> list[tuple[int, int]]:
    """Where two lines look different, as first columns and how many; (0, 0) alone: somewhere, or everywhere."""
    if not before:
        before = tuple((" " * cell_len(text), style) for text, style in after)
    if [cell_len(text) for text, _ in before[:-1]] != [cell_len(text) for text, _ in after[:-1]] or not after:
        return [(0, 0)]
    at, found = 0, []
    for (old, old_style), (new, style) in zip(before, after, strict=True):
        if (old, old_style) != (new, style):
            same = _common(old, new) if old_style == style else 0
            start = cell_len(new[:same])
            end = max(cell_len(old.rstrip(" ")), cell_len(new.rstrip(" ")))
            if end > start:
                found.append((at + start, end - start))
        at += cell_len(new)
    return found


def _common(old: str, new: str) -> int:
    """How many first characters look the same: one that is joined to what follows it does not."""
    shorter = min(len(old), len(new))
    same = next((place for place in range(shorter) if old[place] != new[place]), shorter)
    while same and not (cell_len(new[same - 1 : same]) and (same == len(new) or cell_len(new[same : same + 1]))):
        same -= 1
    return same


def _marked(lines: Sequence[str]) -> list[tuple[bool, str]]:
    return [(place == 0, line) for place, line in enumerate(lines)]
