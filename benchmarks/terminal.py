"""What a key costs: bytes written to the terminal, and the time until the last of them. `python -m benchmarks.terminal`

The real program on a pseudo-terminal of 120 × 40, on sessions made for it; an engine with the built-in model for the
figures of a chat and of keys while a fit runs. Medians of several keys.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from benchmarks import pty_measures
from benchmarks.harness import Outcome, Parts, main
from benchmarks.synthetic import Size, make_session

BUDGETS = {
    "first_paint_s": 0.5,
    "cursor_bytes": 600,
    "mark_bytes": 400,
    "page_bytes": 11_000,
    "token_bytes": 300,
    "idle_bytes_per_s": 0,
    "echo_p95_ms": 50,
    "filter_ms": 100,
}
"""The most that each may be."""


def measure(full: bool, parts: Parts) -> Outcome:
    """Every figure; with `full` of four times as many keys."""
    runs = 20 * (4 if full else 1)
    with tempfile.TemporaryDirectory(prefix="dct-") as folder:
        home = Path(folder)
        make_session(home / "sessions" / "s512", Size(factors=512, sampled=512))
        make_session(home / "sessions" / "s4096", Size(factors=4096, sampled=4096))
        work: dict[str, Callable[[], Mapping[str, float]]] = {
            "first paint": partial(pty_measures.first_paint, home, max(5, runs // 4)),
            "idle": partial(pty_measures.idle, home, "s512"),
            "triage of 512": partial(pty_measures.triage, home, "s512", runs),
            "triage of 4096": partial(pty_measures.triage, home, "s4096", runs),
            "filter": partial(pty_measures.filtering, home, "s4096", runs // 4),
            "chat": partial(pty_measures.streaming, home, runs // 4),
            "echo": partial(pty_measures.echo, home, "s512", 5 * runs),
        }
        figures: dict[str, float] = {}
        for part, function in work.items():
            found = parts.each(part, function)
            figures |= {f"{name}_4096" if part.endswith("4096") else name: value for name, value in found.items()}
    over = tuple(name for name, value in figures.items() if value > _budget(name))
    return Outcome(figures, tuple(_table(figures)), over)


def _budget(name: str) -> float:
    return BUDGETS.get(name.removesuffix("_4096"), float("inf"))


def _table(figures: Mapping[str, float]) -> list[str]:
    lines = [f"{'figure':<28}{'found':>10}{'at most':>10}"]
    for name, value in figures.items():
        budget = BUDGETS.get(name.removesuffix("_4096"))
        word = "" if budget is None else f"{budget:>10g}  {'' if value <= budget else 'over'}"
        lines.append(f"{name:<28}{value:>10g}{word}".rstrip())
    return lines


if __name__ == "__main__":
    main("terminal", measure)
