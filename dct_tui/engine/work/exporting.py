"""Exports that need the model: adapters and edited models, and what readers make of any file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from dct_tui.export import ExportOptions, selected_vectors, session_context, written_exports
from dct_tui.jobs.edit_job import export_with_model
from dct_tui.jobs.verify_job import verify_exports
from dct_tui.sessions import Session

from ..messages import Export
from .desk import Desk


def export(request: Export, desk: Desk) -> dict[str, Any]:
    """Writes files, or verifies those that are there."""
    session = Session.open(Path(request.session))
    vectors, context = selected_vectors(session, request.vectors), session_context(session)
    options, folder = ExportOptions(force=request.force, combine=request.combine), Path(request.folder)
    if not request.verify:
        lm, of = desk.model_of(session), len(request.formats)
        exports = []
        for done, name in enumerate(request.formats):
            desk.stage("writing", done, of)
            exports += export_with_model(lm, name, vectors, context, folder, options, check=desk.check)
        return {"files": [asdict(file) for one in exports for file in one.files], "checks": []}
    # Looked for before the model is opened.
    exports = [one for name in request.formats for one in written_exports(name, vectors, context, folder, options)]
    of = len(exports)
    checks = verify_exports(
        desk.model_of(session), exports, context, on_export=lambda done: desk.stage("verifying", done, of)
    )
    return {
        "files": [asdict(file) for one in exports for file in one.files],
        "checks": [
            {"path": str(one.path), **asdict(check)}
            for one, several in zip(exports, checks, strict=True)
            for check in several
        ],
    }
