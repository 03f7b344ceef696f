"""Receipts: what an exported file is, where it belongs, and what was verified of it by which reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from dct_tui.errors import DctError
from dct_tui.inert import unicode
from dct_tui.sessions.atomic import write_atomic
from dct_tui.sessions.record import now

from .vectors import ExportContext, ExportVector, site

__all__ = ["RECEIPT", "Check", "Exported", "Written", "read_receipt", "write_receipts"]

RECEIPT = "receipt.json"
NOT_OPEN = "not verified: no model open"
_FORMAT = "dct-tui receipt"
_LARGEST = 2**24


@dataclass(frozen=True)
class Written:
    """A file that was written."""

    path: Path
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Exported:
    """One export: its format, its file or folder, the vectors in it, and its files."""

    format: str
    path: Path
    vectors: tuple[ExportVector, ...]
    files: tuple[Written, ...]


@dataclass(frozen=True)
class Check:
    """One thing that was verified of an export, or was not.

    Attributes:
        what: `read back`: the values in the file are those that were meant; `logits`: a forward pass under what the
            reader makes of the file is the forward pass under our own hooks.
        reader: the program that read the file, with its version.
        passed: None where it could not be tried; `said` then says why.
        said: the outcome in words.
        figures: what was measured.
    """

    what: str
    reader: str
    passed: bool | None
    said: str
    figures: dict[str, float] = field(default_factory=dict)


def write_receipts(done: Sequence[tuple[Exported, Sequence[Check]]], context: ExportContext) -> None:
    """Notes exports and their checks in the `receipt.json` beside their files; those of other files there stay.

    A folder that is an export has its own receipt. Checks of the same kind that were noted before are replaced.

    Raises:
        DctError: no room, or a `receipt.json` of some other kind.
    """
    for folder in dict.fromkeys(_folder(export) for export, _ in done):
        receipt = read_receipt(folder) or {"format": _FORMAT, "format_version": 1, "files": {}, "exports": {}}
        for export, checks in done:
            if _folder(export) == folder:
                _note(receipt, export, checks, context)
        names = {unicode(path.name) for path in folder.iterdir() if path.is_file()}
        there = {name: entry for name, entry in receipt["files"].items() if name in names}
        receipt["files"] = there
        kept = {entry["export"] for entry in there.values()}
        receipt["exports"] = {name: entry for name, entry in receipt["exports"].items() if name in kept}
        write_atomic(folder / RECEIPT, orjson.dumps(receipt, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY))


def read_receipt(folder: Path) -> dict[str, Any] | None:
    """The receipt in a folder; None where there is none.

    Raises:
        DctError: a file of that name that is no receipt of ours.
    """
    path = folder / RECEIPT
    foreign = DctError(f"{path} is no receipt of dct-tui", "choose another folder")
    try:
        if path.stat().st_size > _LARGEST:
            raise foreign
        receipt = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, orjson.JSONDecodeError):
        raise foreign from None
    if not isinstance(receipt, dict) or receipt.get("format") != _FORMAT:
        raise foreign
    files, exports = receipt.get("files"), receipt.get("exports")
    if not isinstance(files, dict) or not isinstance(exports, dict):
        raise foreign
    if not all(isinstance(entry, dict) and entry.get("export") in exports for entry in files.values()):
        raise foreign
    return receipt


def _folder(export: Exported) -> Path:
    return export.files[0].path.parent


def _note(receipt: dict[str, Any], export: Exported, checks: Sequence[Check], context: ExportContext) -> None:
    name = unicode(export.path.name)
    for file in export.files:
        receipt["files"][unicode(file.path.name)] = {"sha256": file.sha256, "bytes": file.bytes, "export": name}
    verified = [asdict(check) for check in checks]
    if not any(check.what == "logits" for check in checks):
        verified.append(asdict(Check("logits", "", None, NOT_OPEN)))
    receipt["exports"][name] = {
        "format": export.format,
        "written": now(),
        "session": unicode(context.name),
        "model": {
            "name": context.model,
            "commit": context.commit,
            "type": context.model_type,
            "blocks": context.depth,
            "width": context.width,
        },
        "vectors": [_about(vector, context) for vector in export.vectors],
        "verified": verified,
    }


def _about(vector: ExportVector, context: ExportContext) -> dict[str, Any]:
    about: dict[str, Any] = {
        "name": vector.name,
        "feature": vector.feature,
        "direction": vector.direction,
        "role": vector.role,
        "site": site(vector),
    }
    if vector.role == "ablate":
        blocks = range(context.depth) if vector.layers is None else vector.layers
        return about | {"ablation": vector.ablation, "blocks": list(blocks)}
    return about | {
        "enters_block": vector.source,
        "leaves_block": vector.source - 1 if vector.source else None,
        "hidden_states": vector.source,
        "R": vector.scale,
        "strength": vector.strength,
    }
