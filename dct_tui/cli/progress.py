"""How far a fit is: a bar on a terminal, a line a step elsewhere; both on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from .output import note

if TYPE_CHECKING:
    from ..jobs.fit_job import Step
    from ..transcoder import Calibration


class FitProgress(Protocol):
    """Something that can be told how far a fit is."""

    def __call__(self, step: Step) -> None:
        """Shows a step."""


@contextmanager
def fit_progress() -> Iterator[FitProgress]:
    """A bar on a terminal, a line a step elsewhere."""
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
                words += f"  settled {step.iteration.settled:.0%}"
            bars.update(tasks[step.stage], completed=step.done, description=words)
            if step.calibration is not None:
                bars.console.print(_calibrated(step.calibration))

        yield show


def _log_step(step: Step) -> None:
    if step.calibration is not None:
        note(_calibrated(step.calibration))
    elif step.iteration is not None:
        entry = step.iteration
        note(
            f"iteration {step.done}/{step.of}: objective {entry.objective:.5g}, change {entry.change:.2e}, "
            f"settled {entry.settled:.0%}, {entry.rows / max(entry.seconds, 1e-9):.0f} rows/s"
        )
    elif step.stage == "describe" and step.done == step.of:
        note(f"described {step.of} features")


def _calibrated(found: Calibration) -> str:
    share = f", {found.scale / found.reference:.0%} of the stream's median norm" if found.reference else ""
    advice = {
        "solved": "",
        "fallback": "; the response never becomes nonlinear enough to calibrate on: check strengths by sampling",
        "unbounded": "; nothing to calibrate on: choose one with --scale",
    }[found.kind]
    return f"calibrated R = {found.scale:.4g}{share}{advice}"
