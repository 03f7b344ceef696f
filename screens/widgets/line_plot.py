"""A curve in braille dots: two across and four down in every character."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from itertools import pairwise

from textual.geometry import Region

from .changing_lines import ChangingLines, Line

EVERY_S = 1.0
"""A plot costs some kilobytes, so it is repainted once a second at most."""
BLANK = 0x2800
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot of a braille character, by row and column."""
MARGIN = 9
"""Columns for the numbers at the left."""

Point = tuple[float, float]


class LinePlot(ChangingLines):
    """A curve over the iterations, with its lowest and highest values at the left.

    Args:
        title: what is drawn.
        bounds: the lowest and highest value; None takes those of the points.
        logarithmic: whether equal ratios are equally high.
        percent: whether values are shares.
    """

    DEFAULT_CSS = """
    LinePlot { height: 1fr; width: 1fr; }
    """

    def __init__(
        self,
        title: str,
        *,
        bounds: tuple[float, float] | None = None,
        logarithmic: bool = False,
        percent: bool = False,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.title, self.bounds, self.logarithmic, self.percent = title, bounds, logarithmic, percent
        self._points: tuple[Point, ...] = ()
        self._last = 1
        self._painted = -math.inf

    def draw(self, points: Sequence[Point], last: int) -> None:
        """Draws these points, the x axis going from 1 to `last`; call it again later where it was too soon.

        Points that cannot be drawn, such as a zero on a logarithmic scale, are left out.
        """
        drawn = tuple((x, y) for x, y in points if y > 0 or not self.logarithmic)
        if (drawn, last) == (self._points, self._last) and self.lines:
            return
        if time.monotonic() - self._painted < EVERY_S:
            return
        self._points, self._last = drawn, last
        self._painted = time.monotonic()
        self._repaint()

    def on_resize(self) -> None:
        """Draws in the new size."""
        self._repaint()
        self.refresh(Region(0, 0, *self.size))

    def _repaint(self) -> None:
        width, height = self.size
        if width > MARGIN + 4 and height >= 3:
            self.show(self._lines(width - MARGIN - 2, height - 2))

    def _lines(self, columns: int, rows: int) -> list[Line]:
        values = [value for _, value in self._points]
        newest = self._number(values[-1]) if values else "–"
        lines: list[Line] = [[(f"{self.title} ", "bold"), (newest, "")]]
        low, high = self.bounds or (min(values, default=0.0), max(values, default=1.0))
        scaled = [(x, self._scaled(y)) for x, y in self._points]
        rendered = braille(scaled, columns, rows, (1, max(2, self._last)), (self._scaled(low), self._scaled(high)))
        for row, text in enumerate(rendered):
            label = {0: self._number(high), rows - 1: self._number(low)}.get(row, "") if values or self.bounds else ""
            lines.append([(f"{label:>{MARGIN - 2}} ▏", "dim"), (text, "accent")])
        first, last = "1", str(self._last)
        lines.append([(" " * MARGIN + first + " " * max(1, columns - len(first) - len(last)) + last, "dim")])
        return lines

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.logarithmic and value > 0 else value

    def _number(self, value: float) -> str:
        if self.percent:
            return f"{value:.0%}"
        return short(value)


def short(value: float) -> str:
    """A number in at most seven columns."""
    for unit, step in (("M", 1e6), ("k", 1e3)):
        if step <= abs(value) < 1e3 * step:
            return f"{value / step:.3g}{unit}"
    return f"{value:.3g}" if 1e-2 <= abs(value) < 1e3 or not value else f"{value:.1e}"


def braille(
    points: Sequence[Point], columns: int, rows: int, across: tuple[float, float], upwards: tuple[float, float]
) -> list[str]:
    """Lines of braille characters with a curve through the points.

    Args:
        columns, rows: of characters.
        across, upwards: the lowest and highest value of x and y; what lies outside is drawn at the edge.
    """
    wide, high = 2 * columns, 4 * rows
    bits = [[0] * columns for _ in range(rows)]

    def dot(x: int, y: int) -> None:
        bits[y // 4][x // 2] |= DOTS[y % 4][x % 2]

    spots = [(_place(x, across, wide), high - 1 - _place(y, upwards, high)) for x, y in points]
    for x, y in spots[:1]:
        dot(x, y)
    for (x0, y0), (x1, y1) in pairwise(spots):
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        for step in range(steps + 1):
            dot(round(x0 + (x1 - x0) * step / steps), round(y0 + (y1 - y0) * step / steps))
    # A space costs one byte where an empty braille character costs three.
    return ["".join(chr(BLANK + cell) if cell else " " for cell in row) for row in bits]


def _place(value: float, bounds: tuple[float, float], dots: int) -> int:
    low, high = bounds
    share = (value - low) / (high - low) if high > low else 0.5
    return round(min(1.0, max(0.0, share)) * (dots - 1))
