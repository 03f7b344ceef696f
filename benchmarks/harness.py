"""What every benchmark shares: its options, the machine it ran on, and the one line it prints."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import torch
import transformers


@dataclass(frozen=True)
class Outcome:
    """What a benchmark measured.

    Attributes:
        figures: the named figures.
        table: lines for a person to read.
    """

    figures: Mapping[str, Any]
    table: tuple[str, ...]


def main(name: str, measure: Callable[[bool], Outcome]) -> None:
    """Runs a benchmark as a command: its table, or with `--json` one line of figures.

    Args:
        name: of the benchmark.
        measure: takes `full` (as long as it needs, instead of ten minutes).
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    parser.add_argument("--full", action="store_true", help="measure what takes longer than ten minutes too")
    options = parser.parse_args()
    outcome = measure(options.full)
    if options.json:
        line = {"name": name, "figures": dict(outcome.figures), "machine": machine()}
        print(orjson.dumps(line, option=orjson.OPT_NON_STR_KEYS).decode())
        return
    print("\n".join(outcome.table))
    print("\n" + "  ".join(f"{figure} = {value}" for figure, value in outcome.figures.items()))


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
