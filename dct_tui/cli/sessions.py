"""`dct-tui sessions`: what has been fitted."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import DctError
from ..paths import sessions_root
from .options import Json
from .output import note, print_json, print_table, session_word

if TYPE_CHECKING:
    from ..sessions import SessionSummary


def sessions(
    folders: Annotated[list[Path] | None, typer.Argument(help="Session folders to list besides.")] = None,
    json: Json = False,
) -> None:
    """List sessions, last used first."""
    from ..sessions import Session, list_sessions

    for folder in folders or []:
        if not Session.exists(folder):
            raise DctError(f"there is no session in {folder}", "name a folder that holds a session.json")
    found = list_sessions(extra=folders or [])
    if json:
        for summary in found:
            print_json(_figures(summary))
    elif not found:
        note(f"no sessions in {sessions_root()} yet: try dct-tui demo, or dct-tui fit --help")
    else:
        headers = ("session", "state", "slice", "method", "factors", "model", "used")
        print_table(headers, [_row(s) for s in found], spare=("method", "model", "factors", "slice"))


def _row(summary: SessionSummary) -> tuple[object, ...]:
    word = session_word(summary.path)
    used = datetime.fromtimestamp(summary.used).strftime("%m-%d %H:%M")
    record = summary.record
    if record is None:
        return word, f"damaged: {summary.problem}", "-", "-", "-", "-", used
    layers = f"{record.slice.source}→{record.slice.target}"
    model = record.model.spec.rpartition("/")[2]
    return word, summary.state, layers, record.fit.method, record.fit.factors, model, used


def _figures(summary: SessionSummary) -> dict[str, object]:
    return {
        "name": summary.name,
        "path": str(summary.path),
        "state": summary.state,
        "problem": summary.problem,
        "iteration": summary.iteration,
        "used": summary.used,
        "record": summary.record,
    }
