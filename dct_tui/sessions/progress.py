"""What the journal of a fit tells: its iterations, and in between how far it is. A line may be damaged, or made up.

A line of an iteration has its `iteration`, `of`, `objective`, `change`, `settled`, `rows`, `seconds`,
`rows_per_second`, the time `at`, and `memory` in bytes; after a resume the newest of a number counts. Every other line
has a `stage` and the last finished `iteration`: `begin` (with the seconds that were `expected`, where they were told),
`calibrate`, `fit`, `describe` (at most every three seconds, with how many rows or features are `done`, `of` about how
many), `paused`, and `end`, with the seconds that went by `besides` those of iterations and those in which it rested.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Entry", "Note", "read_progress"]

MOST = 1e30
"""No figure of a fit is beyond it; differences and squares of such are still finite."""
LONGEST_S = 1e9


@dataclass(frozen=True)
class Entry:
    """One iteration, as the journal tells it. Figures that it does not tell are None."""

    iteration: int
    objective: float | None = None
    change: float | None = None
    settled: float | None = None
    seconds: float | None = None
    rows_per_second: float | None = None
    memory: float | None = None
    at: str = ""


@dataclass(frozen=True)
class Note:
    """What is being done between iterations; as `Entry`."""

    stage: str
    iteration: int = 0
    done: float | None = None
    of: float | None = None
    memory: float | None = None
    expected: float | None = None
    besides: float | None = None
    at: str = ""

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        return min(1.0, self.done / self.of) if self.done is not None and self.of else 0.0


def read_progress(record: Mapping[str, Any], iterations: int) -> Entry | Note:
    """What a line of the journal says.

    Args:
        iterations: of the fit; there is none beyond.

    Raises:
        ValueError: it says what no fit can: a figure is no number, or beyond what it can be.
    """
    number = record.get("iteration", 0)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= iterations:
        raise ValueError("iteration")
    at, memory = str(record.get("at", "")), _figure(record, "memory", 0)
    if "stage" in record:
        if not isinstance(record["stage"], str):
            raise ValueError("stage")
        done, of = _figure(record, "done", 0), _figure(record, "of", 0)
        expected, besides = (_figure(record, name, 0, LONGEST_S) for name in ("expected", "besides"))
        return Note(record["stage"], number, done, of, memory, expected, besides, at)
    if not number:
        raise ValueError("iteration")
    seconds, rows = _figure(record, "seconds", 0, LONGEST_S), _figure(record, "rows", 0)
    speed = _figure(record, "rows_per_second", 0)
    return Entry(
        iteration=number,
        objective=_figure(record, "objective", -MOST),
        # A cosine may be a little above 1 by rounding.
        change=_figure(record, "change", -0.01, 2.01),
        settled=_figure(record, "settled", 0, 1),
        seconds=seconds,
        rows_per_second=speed if speed is not None else rows / seconds if rows and seconds else None,
        memory=memory,
        at=at,
    )


def _figure(record: Mapping[str, Any], name: str, least: float, most: float = MOST) -> float | None:
    value = record.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(name)
    return float(value)
