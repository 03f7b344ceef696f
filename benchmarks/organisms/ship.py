"""``python -m benchmarks.organisms.ship NAME …``: make the oracles that come with models, into assets."""

from __future__ import annotations

import sys

from benchmarks.organisms.oracles import elicitable, keep_oracles, oracles
from benchmarks.organisms.runs import FULL_SOURCES
from benchmarks.organisms.subjects import open_subject
from benchmarks.organisms.trials import STRENGTHS
from benchmarks.organisms.ways import Bench


def main(names: list[str]) -> None:
    """For each model and every source layer that is measured."""
    for name in names:
        subject = open_subject(name)
        for source in FULL_SOURCES:
            bench = Bench(subject, source)
            found = oracles(subject, bench.layers.source, bench.scale, STRENGTHS)
            keep_oracles(name, bench.layers.source, found)
            form, content = elicitable(found)
            print(f"{name}, source {bench.layers.source}: {len(form)} ({len(content)}) of {len(subject.behaviours)}")


if __name__ == "__main__":
    main(sys.argv[1:])
