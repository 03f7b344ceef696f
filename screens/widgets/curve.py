"""The curve by which R was found: how far from linear the slice is, against the norm of what is added."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..scale_words import share_of_norm
from .changing_lines import ChangingLines, Line
from .line_plot import braille, short

LAMBDA = 0.5
HIGHEST = 2.0
MARGIN = 6
LEVEL, AT = "┄", "│"


class CalibrationCurve(ChangingLines):
    """ratio(R) on a logarithmic axis, with λ and the R that was found."""

    DEFAULT_CSS = """
    CalibrationCurve { height: 12; }
    """

    def __init__(self, found: Mapping[str, Any]) -> None:
        super().__init__()
        self.found = found

    def on_resize(self) -> None:
        """Draws in the new size."""
        self.show(curve_lines(self.found, self.size.width, self.size.height))
        self.refresh()


def curve_lines(found: Mapping[str, Any], width: int, height: int) -> list[Line]:
    """The plot in so many columns and lines; empty where there is no room or nothing to draw."""
    points = _points(found.get("curve") or ())
    scale, reference = float(found.get("scale") or 0.0), found.get("reference")
    columns, rows = width - MARGIN - 1, height - 3
    if len(points) < 2 or scale <= 0 or columns < 20 or rows < 3:
        return []
    low, high = min(points[0][0], scale), max(points[-1][0], scale)
    top = min(HIGHEST, max(1.0, max(y for _, y in points)))
    across, upwards = (math.log(low), math.log(high)), (0.0, top)
    drawn = braille([(math.log(x), min(y, top)) for x, y in points], columns, rows, across, upwards)
    level = min(rows - 1, max(0, round((1 - LAMBDA / top) * (rows - 1))))
    at = _column(scale, low, high, columns)
    lines: list[Line] = [[("ratio of what is not linear to what is, against R", "bold")]]
    for row, text in enumerate(drawn):
        cells = list(text.ljust(columns))
        for place, char in enumerate(cells):
            if char == " " and (place == at or row == level):
                cells[place] = AT if place == at else LEVEL
        label = f"λ={LAMBDA:g}" if row == level else {0: f"{top:.3g}", rows - 1: "0"}.get(row, "")
        lines.append([(f"{label:>{MARGIN - 1}} ", "dim"), ("".join(cells), "accent")])
    lines.append(
        [(" " * MARGIN + _axis({low: short(low), high: short(high), scale: f"R={short(scale)}"}, columns), "")]
    )
    if isinstance(reference, int | float) and reference > 0:
        marks = {low: f"{low / reference:.1%}", high: f"{high / reference:.0%}", scale: f"{scale / reference:.1%}"}
        lines.append([(" " * MARGIN + _axis(marks, columns), "dim")])
    return lines


def found_words(found: Mapping[str, Any]) -> str:
    """How R was found, in a sentence."""
    scale, reference = float(found.get("scale") or 0.0), found.get("reference")
    part = share_of_norm(found)
    share = f", {part:.0%} of the stream's median norm ‖h_s‖ = {reference:.4g}" if part is not None else ""
    how = {
        "solved": f"there the ratio rises through λ = {LAMBDA:g}",
        "fallback": "the ratio rises through λ nowhere within that norm, so a fixed share of it is taken",
        "unbounded": "the ratio rises through λ nowhere: it is a guess",
    }.get(str(found.get("kind")), "")
    return f"R = {scale:.4g}{share}. {how[:1].upper()}{how[1:]}."


def _points(curve: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    kept = [(float(x), float(y)) for x, y in curve if x is not None and y is not None and x > 0]
    return sorted((x, y) for x, y in kept if math.isfinite(x) and math.isfinite(y))


def _column(value: float, low: float, high: float, columns: int) -> int:
    share = (math.log(value) - math.log(low)) / (math.log(high) - math.log(low)) if high > low else 0.5
    return round(min(1.0, max(0.0, share)) * (columns - 1))


def _axis(marks: Mapping[float, str], columns: int) -> str:
    """Labels below their places. Where two would meet, the one that was given last stands alone."""
    low, high = min(marks), max(marks)
    line = [" "] * columns
    for value, text in reversed(list(marks.items())):
        at = min(max(0, _column(value, low, high, columns) - len(text) // 2), max(0, columns - len(text)))
        if not "".join(line[max(0, at - 1) : at + len(text) + 1]).strip():
            line[at : at + len(text)] = text
    return "".join(line)[:columns]
