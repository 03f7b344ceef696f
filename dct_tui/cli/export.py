"""`dct-tui export`: features to files that other programs load."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from .options import Json, SessionName
from .output import print_json


def export(
    session: SessionName,
    features: Annotated[str, typer.Option(help="all, or numbers and ranges such as 1,2 or 8-12.")],
    format: Annotated[
        str, typer.Option(help="safetensors, npz or gguf (a control vector for llama.cpp).")
    ] = "safetensors",
    out: Annotated[Path | None, typer.Option(help="Folder or file; by default the session's exports folder.")] = None,
    strength: Annotated[float, typer.Option(help="In units of R: what 1.0 will mean in the file.")] = 1.0,
    combine: Annotated[bool, typer.Option("--combine", help="gguf: one file that adds all of them.")] = False,
    sparse: Annotated[bool, typer.Option("--sparse", help="gguf: leave out layers without a vector.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    json: Json = False,
) -> None:
    """Write features to files for other programs."""
    from ..export import ExportOptions, export_vectors, session_context, session_vectors
    from ..features.choose import parse_indices
    from ..sessions import Session, find_session

    opened = Session.open(find_session(session))
    chosen = parse_indices(features, opened.read_fit().alpha.size, "feature")
    vectors = session_vectors(opened, chosen, strength=strength)
    options = ExportOptions(force=force, combine=combine, sparse=sparse)
    for written in export_vectors(format, vectors, session_context(opened), out or opened.exports, options):
        if json:
            print_json({**asdict(written), "path": str(written.path)})
        else:
            print(f"{written.path}  {written.bytes:,} bytes  sha256 {written.sha256[:16]}…")
