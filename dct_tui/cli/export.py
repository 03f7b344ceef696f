"""`dct-tui export`: features to files that other programs load."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import DctError
from ..inert import unicode
from .options import AllowPickle, Device, DeviceMap, Json, SessionName, TrustRemoteCode
from .output import note, print_json
from .rack_words import Ablate, AblatedLayers, Ablation, Steer, rack_of

if TYPE_CHECKING:
    from ..export import Check, Exported, ExportVector
    from ..sessions import Session

FORMATS = "safetensors, npz, gguf, steering-vectors, python, lora or model: see docs/exports.md."


def export(
    session: SessionName,
    features: Annotated[str | None, typer.Option(help="all, or numbers and ranges such as 1,2 or 8-12.")] = None,
    steer: Steer = None,
    ablate: Ablate = None,
    ablation: Ablation = "writes",
    layers: AblatedLayers = "all",
    format: Annotated[str, typer.Option(help=FORMATS)] = "safetensors",
    out: Annotated[Path | None, typer.Option(help="Folder or file; by default the session's exports folder.")] = None,
    strength: Annotated[float, typer.Option(help="Of --features, in units of R: what 1.0 will mean.")] = 1.0,
    combine: Annotated[bool, typer.Option("--combine", help="gguf and steering-vectors: one file of all.")] = False,
    sparse: Annotated[bool, typer.Option("--sparse", help="gguf: leave out layers without a vector.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Open the model and compare a forward pass under the file with ours.")
    ] = False,
    device: Device = None,
    device_map: DeviceMap = None,
    trust_remote_code: TrustRemoteCode = False,
    allow_pickle: AllowPickle = False,
    json: Json = False,
) -> None:
    """Write features to files for other programs; a receipt beside them says what was verified."""
    from ..export import ExportOptions, find_format, read_receipt, session_context, write_exports
    from ..sessions import Session, find_session

    opened = Session.open(find_session(session))
    vectors = _vectors(opened, features, strength, steer, ablate, ablation, layers)
    context, options = session_context(opened), ExportOptions(force=force, combine=combine, sparse=sparse)
    destination = out or opened.exports
    checks: list[list[Check]] = []
    if verify or find_format(format).needs_model:
        from ..jobs.edit_job import export_with_model
        from ..jobs.reopen import reopen_model
        from ..jobs.verify_job import verify_exports

        lm = reopen_model(opened, device, device_map, trust_remote_code, allow_pickle)
        exports = export_with_model(lm, format, vectors, context, destination, options)
        if verify:
            checks = verify_exports(lm, exports, context)
    else:
        exports = write_exports(format, vectors, context, destination, options)
    receipt = read_receipt(exports[0].files[0].path.parent) or {"exports": {}}
    for one in exports:
        _print(one, receipt["exports"][unicode(one.path.name)]["verified"], json)
    if failed := [check for several in checks for check in several if check.passed is False]:
        raise DctError(f"what was written is not what was meant: {failed[0].said}", "do not use it; see receipt.json")


def _vectors(
    opened: Session,
    features: str | None,
    strength: float,
    steer: list[str] | None,
    ablate: list[str] | None,
    ablation: str,
    layers: str,
) -> list[ExportVector]:
    from ..export import rack_vectors, session_vectors
    from ..features.choose import parse_indices

    if not (features or steer or ablate):
        raise DctError("nothing to export", "name features with --features, --steer or --ablate")
    count = opened.read_fit().alpha.size
    chosen = parse_indices(features, count, "feature") if features else []
    vectors = session_vectors(opened, chosen, strength=strength)
    if steer or ablate:
        vectors += rack_vectors(opened, rack_of(steer, ablate, ablation, layers, opened.record.model.depth, count))
    return vectors


def _print(export: Exported, verified: list[dict[str, object]], json: bool) -> None:
    if json:
        for file in export.files:
            print_json({**asdict(file), "path": str(file.path), "format": export.format, "verified": verified})
        return
    for file in export.files:
        print(f"{file.path}  {file.bytes:,} bytes  sha256 {file.sha256[:16]}…")
    for check in verified:
        what = " ".join(str(part) for part in (check["what"], check["reader"]) if part)
        note(f"  {what}: {check['said']}")
