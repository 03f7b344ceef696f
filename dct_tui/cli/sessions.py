"""`dct-tui sessions`: what has been fitted."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ..paths import sessions_root
from ..sessions import SessionSummary, list_sessions
from .options import Json
from .output import note, print_json, print_table


def sessions(
    folders: Annotated[list[Path] | None, typer.Argument(help="Session folders to list besides.")] = None,
    json: Json = False,
) -> None:
    """List sessions, last used first."""
    found = list_sessions(extra=folders or [])
    if json:
        for summary in found:
            print_json(_figures(summary))
    elif not found:
        note(f"no sessions in {sessions_root()} yet: try dct-tui demo, or dct-tui fit --help")
    else:
        print_table(("session", "model", "slice", "method", "factors", "state", "used"), [_row(s) for s in found])


def _row(summary: SessionSummary) -> tuple[object, ...]:
    used = datetime.fromtimestamp(summary.used).strftime("%Y-%m-%d %H:%M")
    record = summary.record
    if record is None:
        return summary.name, "-", "-", "-", "-", f"damaged: {summary.problem}", used
    layers = f"{record.slice.source}→{record.slice.target}"
    return summary.name, record.model.spec, layers, record.fit.method, record.fit.factors, _state(summary), used


def _state(summary: SessionSummary) -> str:
    record = summary.record
    if record is None:
        return "damaged"
    progress = f"{summary.iteration}/{record.fit.iterations}"
    if summary.writer is not None:
        return f"fitting {progress} by {summary.writer}"
    # Nobody holds the lock: a fit that says it is running has died.
    return {"fitting": f"interrupted at {progress}", "stopped": f"stopped at {progress}"}.get(
        record.status, record.status
    )


def _figures(summary: SessionSummary) -> dict[str, object]:
    record = summary.record
    return {
        "name": summary.name,
        "path": str(summary.path),
        "state": _state(summary),
        "problem": summary.problem,
        "iteration": summary.iteration,
        "used": summary.used,
        "record": None if record is None else record,
    }
