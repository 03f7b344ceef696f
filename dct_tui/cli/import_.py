"""`dct-tui import`: vectors of other programs into a session."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..inert import inert
from .options import AllowPickle, Device, DeviceMap, Json, SessionName, TrustRemoteCode
from .output import note, print_json


def import_(
    session: SessionName,
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help=".gguf, .safetensors, .npz or .pt files.")],
    layer: Annotated[
        int | None,
        typer.Option(help="Take the vectors for what enters this block, and let them enter the session's source."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Open the model: try neighbouring layers, describe the vectors.")
    ] = True,
    device: Device = None,
    device_map: DeviceMap = None,
    trust_remote_code: TrustRemoteCode = False,
    allow_pickle: AllowPickle = False,
    json: Json = False,
) -> None:
    """Add the vectors of GGUF, safetensors, npz or .pt files to a session, as features."""
    from ..sessions import Session, find_session

    opened = Session.open(find_session(session))
    opened.read_fit()
    from ..jobs.import_job import import_file
    from ..jobs.reopen import reopen_model

    lm = reopen_model(opened, device, device_map, trust_remote_code, allow_pickle) if check else None
    for file in files:
        for result in import_file(opened, file, lm, layer=layer):
            if json:
                advantage = {str(block): times for block, times in result.advantage.items()}
                print_json({**asdict(result), "advantage": advantage, "file": str(file)})
                continue
            print(inert(f"feature {result.feature}: {result.name} of {file.name}"))
            note(f"  {result.layers}")
            what = "ablate it" if result.role == "ablate" else f"its strength in the file is {result.strength:.3g}"
            note(f"  {what}; 1 is R")
