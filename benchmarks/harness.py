"""What every benchmark shares: its options, the machine it ran on, and the one line it prints."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import torch
import transformers

from dct_tui.paths import data_root
from dct_tui.sessions import Journal


@dataclass(frozen=True)
class Outcome:
    """What a benchmark measured.

    Attributes:
        figures: the named figures.
        table: lines for a person to read.
        over: the figures that are over their budgets; the command fails by them.
    """

    figures: Mapping[str, Any]
    table: tuple[str, ...]
    over: tuple[str, ...] = ()


class Parts:
    """The parts of a long measurement, each kept as soon as it is done: an interrupted one goes on where it stood."""

    def __init__(self, path: Path) -> None:
        self.journal = Journal(path)
        self.done = {record["part"]: record["value"] for record in self.journal.read().records}

    def each(self, part: str, measure: Callable[[], Any]) -> Any:
        """What `measure` gives, as JSON holds it; not measured again where it is kept."""
        if part not in self.done:
            value = orjson.loads(orjson.dumps(measure()))
            self.journal.append({"part": part, "value": value}, durable=True)
            self.done[part] = value
        return self.done[part]


Measure = Callable[[bool, Parts], Outcome]
"""Takes `full` (as long as it needs, instead of ten minutes), and where parts are kept."""


def main(name: str, measure: Measure) -> None:
    """Runs a benchmark as a command: its table, or with `--json` one line of figures.

    Args:
        name: of the benchmark.
        measure: does the work.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    parser.add_argument("--full", action="store_true", help="measure what takes longer than ten minutes too")
    parser.add_argument("--fresh", action="store_true", help="forget the parts that an interrupted run has kept")
    options = parser.parse_args()
    kept = data_root() / "benchmarks" / f"{name}{'-full' if options.full else ''}.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    if options.fresh:
        kept.unlink(missing_ok=True)
    parts = Parts(kept)
    if parts.done:
        print(f"going on after {len(parts.done)} parts kept in {kept} (--fresh starts anew)", file=sys.stderr)
    outcome = measure(options.full, parts)
    kept.unlink(missing_ok=True)
    if options.json:
        line = {"name": name, "figures": dict(outcome.figures), "machine": machine()}
        print(orjson.dumps(line, option=orjson.OPT_NON_STR_KEYS).decode())
    else:
        print("\n".join(outcome.table))
        print("\n" + "  ".join(f"{figure} = {value}" for figure, value in outcome.figures.items()))
    if outcome.over:
        sys.exit(f"over budget: {', '.join(outcome.over)}")


def machine() -> dict[str, Any]:
    """Processor, cores, accelerator and versions."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
