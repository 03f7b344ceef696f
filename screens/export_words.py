"""What the export screen says: where vectors act, what will be written, what was, and what lies in the folder."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .export_plan import Planned, Refused

if TYPE_CHECKING:
    from dct_tui.export import ExportContext, ExportVector, Written

__all__ = ["listed_files", "planned_words", "receipt_words", "size_words", "where_words"]

MOST = 12


def where_words(vectors: Sequence[ExportVector], context: ExportContext) -> str:
    """At which layers the vectors act, as block, hidden state and control vector count them."""
    if not vectors:
        return "No features are chosen.\n\n"
    lines = [f"{len(vectors)} vector{'s' * (len(vectors) > 1)} of {context.width} values"]
    for source in sorted({vector.source for vector in vectors if vector.role == "add"}):
        lines += [
            f"added to what enters block {source} (counted from 0),",
            f"  which is hidden_states[{source}] in transformers and direction.{source - 1} in a control vector",
        ]
    if any(vector.role == "ablate" for vector in vectors):
        lines.append("projected out of the residual stream")
    return "\n".join(lines) + "\n\n"


def planned_words(planned: Sequence[Planned | Refused]) -> str:
    """The files that enter will write, and the formats that refuse, with their reasons."""
    files = [file for file in planned if isinstance(file, Planned)]
    refused = [file for file in planned if isinstance(file, Refused)]
    lines = []
    if files:
        total = sum(file.bytes for file in files)
        about = "" if all(file.exact for file in files) else "about "
        lines.append(f"enter writes {len(files)} file{'s' * (len(files) > 1)}, {about}{size_words(total)}")
        for file in files[:MOST]:
            there = "  is there already" if file.is_there else ""
            lines.append(f"  {file.path.name}  {'' if file.exact else 'about '}{size_words(file.bytes)}{there}")
        lines += [f"  and {len(files) - MOST} more"] * (len(files) > MOST)
        lines.append(f"into {files[0].path.parent}")
    for refusal in refused:
        lines += ["", f"✗ {refusal.form} refuses: {refusal.why}"]
    return "\n".join(lines or ["No format is chosen."])


def receipt_words(written: Sequence[Written]) -> str:
    """What was written."""
    lines = [f"✓ {len(written)} file{'s' * (len(written) > 1)} written"]
    lines += [f"  {file.path.name}  {size_words(file.bytes)}  sha256 {file.sha256[:12]}…" for file in written[:MOST]]
    lines += [f"  and {len(written) - MOST} more"] * (len(written) > MOST)
    return "\n".join([*lines, f"in {written[0].path.parent}", "y copies a path, or a line that loads it"])


def listed_files(folder: Path) -> str:
    """What lies in the folder, the newest first; empty where there is nothing."""
    try:
        found = [(path.stat(), path.name) for path in folder.iterdir() if path.is_file()]
    except OSError:
        return ""
    found.sort(key=lambda file: (-file[0].st_mtime, file[1]))
    lines = [
        f"  {datetime.fromtimestamp(stat.st_mtime):%m-%d %H:%M}  {size_words(stat.st_size):>9}  {name}"
        for stat, name in found[:MOST]
    ]
    lines += [f"  and {len(found) - MOST} more"] * (len(found) > MOST)
    return "\n".join(["\n\nIn the folder", *lines]) if found else ""


def size_words(size: int) -> str:
    """Bytes for people: 512 B, 12.3 KB, 4.5 GB."""
    if size < 1000:
        return f"{size} B"
    unit = "KB" if size < 10**6 else "MB" if size < 10**9 else "GB"
    return f"{size / {'KB': 1e3, 'MB': 1e6, 'GB': 1e9}[unit]:.1f} {unit}"
