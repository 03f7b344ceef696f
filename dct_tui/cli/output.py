"""What commands print: JSON lines, tables, and progress on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import orjson

if TYPE_CHECKING:
    from ..jobs.fit_job import Step


def print_json(value: Any) -> None:
    """One value on one line of stdout, at once."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode() + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """A line for the person at the terminal; stdout is left to results."""
    print(text, file=sys.stderr, flush=True)


def print_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns as wide as they need to be; numbers on the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(headers), *cells]) for i in range(len(headers))]
    numeric = [all(_is_number(row[i]) for row in rows) and bool(rows) for i in range(len(headers))]
    for line in [list(headers), *cells]:
        padded = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ]
        print("  ".join(padded).rstrip())


class FitProgress(Protocol):
    """Something that can be told how far a fit is."""

    def __call__(self, step: Step) -> None:
        """Shows a step."""


@contextmanager
def fit_progress() -> Iterator[FitProgress]:
    """A bar on a terminal, a line a step elsewhere; both on stderr."""
    if not sys.stderr.isatty():
        yield _log_step
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def show(step: Step) -> None:
            if step.stage not in tasks:
                tasks[step.stage] = bars.add_task(step.stage, total=step.of)
            words: str = step.stage
            if step.iteration is not None:
                words += f"  objective {step.iteration.objective:.4g}  settled {step.iteration.settled:.0%}"
            if step.calibration is not None:
                words += f"  {step.calibration.kind}"
            bars.update(tasks[step.stage], completed=step.done, description=words)

        yield show


def _log_step(step: Step) -> None:
    if step.calibration is not None:
        note(f"calibrate: R = {step.calibration.scale:.4g} ({step.calibration.kind})")
    elif step.iteration is not None:
        entry = step.iteration
        note(
            f"iteration {step.done}/{step.of}: objective {entry.objective:.5g}, change {entry.change:.2e}, "
            f"settled {entry.settled:.0%}, {entry.rows / max(entry.seconds, 1e-9):.0f} rows/s"
        )
    elif step.stage == "describe" and step.done == step.of:
        note(f"described {step.of} features")


def _is_number(cell: object) -> bool:
    try:
        float(str(cell).rstrip("%") or "0")
    except ValueError:
        return cell in ("", "-")
    return True
