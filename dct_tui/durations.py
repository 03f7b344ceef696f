"""How long something takes, as a person says it: forecasts, what is left, and what it took in the same words."""

from __future__ import annotations

import math

LONGEST_S = 1e9


def about(seconds: float) -> str:
    """`about 40 s`, `about 3 min`, `about 2 h 10 min`; never less than five seconds."""
    if not seconds < LONGEST_S:
        return "more than thirty years"
    if seconds <= 55:
        return f"about {5 * max(1, math.ceil(seconds / 5))} s"
    minutes = max(1, round(seconds / 60))
    if minutes < 100:
        return f"about {minutes} min"
    hours, tens = divmod(round(minutes / 10), 6)
    return f"about {hours} h" + (f" {10 * tens} min" if tens and hours < 24 else "")
