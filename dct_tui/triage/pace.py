"""How much there is left to judge, and about how long that takes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ..durations import about

PAUSE_S = 60.0
RECENT = 40
LEAST = 3


def seconds_each(judged_at: Sequence[float]) -> float | None:
    """Seconds from one judgement to the next, on average over the last forty; None while there are under three.

    Times are seconds since 1970. Gaps of over a minute are pauses and do not count.
    """
    recent = judged_at[-RECENT - 1 :]
    gaps = [after - before for before, after in pairwise(recent) if 0 <= after - before <= PAUSE_S]
    return sum(gaps) / len(gaps) if len(gaps) >= LEAST else None


def left_words(left: int, judged_at: Sequence[float]) -> str:
    """What is left in words: `212 left, about 14 min`."""
    if not left:
        return "all judged"
    each = seconds_each(judged_at)
    return f"{left} left" if each is None else f"{left} left, {about(left * each)}"
