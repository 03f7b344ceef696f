"""``python -m benchmarks.organisms``: planted behaviours found, against the published algorithm and random vectors."""

from __future__ import annotations

from benchmarks.harness import Outcome, Parts, main
from benchmarks.organisms.figures import figures, table
from benchmarks.organisms.runs import every_run


def measure(full: bool, parts: Parts) -> Outcome:
    """The shipped models, one seed, the ways that matter most; or with `full` every model, slice, way and seed."""
    runs = list(every_run(full, parts))
    return Outcome(figures(runs), tuple(table(runs)))


if __name__ == "__main__":
    main("organisms", measure)
