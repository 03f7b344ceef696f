"""What the export screen says: the rows of its form, what will be written, what was, and what lies in the folder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dct_tui.export import FORMATS
from dct_tui.inert import columns, inert
from dct_tui.sessions.rack import in_words

from .export_plan import NOTES, Foreseen, Outcome, Planned
from .keymap import key_of, with_keys
from .widgets.changing_lines import Line
from .widgets.choice_list import Choice
from .widgets.transcript_wrap import Wrapped

if TYPE_CHECKING:
    from dct_tui.export import ExportContext, ExportVector
    from dct_tui.sessions.rack import RackEntry

    from .export_plan import Choices

__all__ = ["Shown", "form_rows", "preview", "size_words"]

NAME_LEAST = 16
LEAST_FILES = 3
FOLDER_WIDTH = 46
COMBINED = "gguf, steering-vectors: one file of them all"
OUT_OF = {"stream": "the residual stream", "writes": "what blocks write to the residual stream"}
TYPED = {"strength": "strength: in units of R; below 0 is against it", "combine": f"combine: {COMBINED}"}


@dataclass(frozen=True)
class Shown:
    """What the screen knows: what is chosen, what follows, and what is being done or was."""

    choices: Choices
    foreseen: Foreseen
    folder: Path
    context: ExportContext
    doing: str
    outcome: Outcome | None


def form_rows(choices: Choices, rack: Sequence[RackEntry], folder: Path, foreseen: Foreseen) -> list[Choice]:
    """The form: what is chosen, and beside each format what it comes to."""
    by_rack, count = choices.which == "rack", len(foreseen.vectors)
    which = choices.numbers if choices.which == "numbers" else choices.which
    rows = [
        Choice("value", "which", "features", f"{which}: {_counted(count, 'vector') if count else 'none'}"),
        Choice("value", "way", "to do what", in_words(rack) if by_rack else choices.way),
        Choice("value", "strength", "strength", "as the rack has it" if by_rack else f"{choices.strength:g} R"),
        Choice("value", "folder", "into", end_of(str(folder), FOLDER_WIDTH)),
    ]
    for name, form in FORMATS.items():
        if name not in choices.formats:
            rows.append(Choice("off", name, name, form.description, "dim"))
        elif name in foreseen.refused:
            rows.append(Choice("on", name, name, "✗ refuses what is chosen", "bad"))
        else:
            files = [file for file in foreseen.files if file.form == name]
            rows.append(Choice("on", name, name, files_words(files) if files else form.description))
    return [*rows, Choice("on" if choices.combine else "off", "combine", "combine", COMBINED, "dim")]


def preview(shown: Shown, row: str, width: int, height: int, *, listed: bool) -> list[Line]:
    """What follows from the choices, in so many lines.

    Args:
        row: the key of the row under the cursor.
        listed: whether what lies in the folder is told too.
    """
    outcome, foreseen = shown.outcome, shown.foreseen
    if shown.doing:
        head, files = (
            [[(f"{shown.doing}; {key_of('export.stop')} stops", "accent")]],
            _planned_lines(foreseen.files, width),
        )
    elif outcome is not None and (outcome.files or outcome.checks):
        head, files = _outcome_lines(outcome, shown.folder, width)
    elif foreseen.problem is not None:
        problem = foreseen.problem
        head, files = _wrapped(f"Nothing can be written: {problem.message}. {problem.hint}", width, "warn"), []
    else:
        head, files = _head_lines(foreseen, shown.folder, width), _planned_lines(foreseen.files, width)
    tail = _wrapped(_where(foreseen.vectors, shown.context), width, "dim") if foreseen.vectors else []
    tail += _wrapped(_about(row, shown), width, "dim")
    if listed:
        tail = [[], *tail, *_listed_lines(shown.folder, width)]
    room = max(height - len(head) - len(tail), min(len(files), LEAST_FILES))
    lines = [*head, *_fitted(files, room)]
    return [*lines, *_fitted(tail, max(0, height - len(lines)))]


def _about(key: str, shown: Shown) -> str:
    """What is to be known of a row of the form, as it does not fit beside it."""
    choices, refused = shown.choices, shown.foreseen.refused
    if key in refused:
        return f"✗ {key}: {refused[key]}"
    if key in FORMATS:
        return f"{key}: {FORMATS[key].description}"
    if key == "folder":
        return f"into {shown.folder}"
    if key == "way":
        return "the rack says what is done with each" if choices.which == "rack" else f"to {choices.way}"
    return f"{choices.which}: {NOTES[choices.which]}" if key == "which" else TYPED[key]


def _where(vectors: Sequence[ExportVector], context: ExportContext) -> str:
    """At which layers the vectors act, as block, hidden state and control vector count them."""
    parts = [
        f"added to what enters block {source} = hidden_states[{source}] = direction.{source - 1}"
        for source in sorted({vector.source for vector in vectors if vector.role == "add"})
    ]
    kinds = {vector.ablation for vector in vectors if vector.role == "ablate"}
    parts += [f"projected out of {OUT_OF[kind]}" for kind in sorted(kinds)]
    return f"{_counted(len(vectors), 'vector')} {', '.join(parts)}"


def _head_lines(foreseen: Foreseen, folder: Path, width: int) -> list[Line]:
    """What enter will do."""
    if not foreseen.files:
        none = "no format is chosen" if foreseen.vectors else "no features are chosen"
        return [[(f"nothing is written: {'the formats refuse it' if foreseen.refused else none}", "warn")]]
    return _into(f"{key_of('export.write')} writes {files_words(foreseen.files)}", "bold", folder, width)


def _into(said: str, style: str, folder: Path, width: int) -> list[Line]:
    """Something and the folder, on one line if there is room for enough of it."""
    room = width - len(said) - len(" into ")
    if room < NAME_LEAST:
        return [[(said, style)], [(f"into {end_of(str(folder), width - len('into '))}", "dim")]]
    return [[(said, style), (f" into {end_of(str(folder), room)}", "dim")]]


def _planned_lines(files: Sequence[Planned], width: int) -> list[Line]:
    rows = []
    for file in files:
        size = "a folder" if file.bytes is None else f"{'' if file.exact else 'about '}{size_words(file.bytes)}"
        rows.append((file.path.name, size, "is there already" if file.is_there else ""))
    return _table(rows, width)


def _outcome_lines(outcome: Outcome, folder: Path, width: int) -> tuple[list[Line], list[Line]]:
    if outcome.checks:
        return _check_lines(outcome.checks, width)
    keys = with_keys("({export.verify} verifies, {export.copy} copies)")
    said = f"✓ {_counted(len(outcome.files), 'file')} written {keys}"
    rows = [
        (os.path.relpath(file["path"], folder), size_words(file["bytes"]), f"sha256 {file['sha256'][:8]}…")
        for file in outcome.files
    ]
    return _into(said, "good", folder, width), _table(rows, width)


def _check_lines(checks: Sequence[Mapping[str, Any]], width: int) -> tuple[list[Line], list[Line]]:
    """What was verified: of the files that are what was meant how near they are, of the others what is wrong.

    Args:
        checks: each has its `path`, `what`, `reader`, `passed`, `said` and `figures`.
    """
    failed = [check for check in checks if check["passed"] is False]
    untold = [check for check in checks if check["passed"] is None]
    doubted = {check["path"] for check in (*failed, *untold)}
    lines: list[Line] = []
    for sign, style, several in (("✗", "bad", failed), ("?", "warn", untold)):
        for check in several:
            said = f"{sign} {Path(check['path']).name}, {check['what']}: {check['said']}"
            lines += [[(line, style)] for line in Wrapped(said, width).lines]
    rows = [
        (f"✓ {Path(check['path']).name}", f"KL {check['figures']['kl_max']:.0e} nats", check["reader"])
        for check in checks
        if check["path"] not in doubted and "kl_max" in check["figures"]
    ]
    if failed:
        head: Line = [("✗ not all of it is what was meant", "bad")]
    elif untold:
        head = [("? not all of it could be verified", "warn")]
    else:
        head = [("✓ verified: under each file the model does what it does under our own hooks", "good")]
    return [head], [*lines, *_table(rows, width)]


def _listed_lines(folder: Path, width: int) -> list[Line]:
    """What lies in the folder, the newest first; nothing where there is nothing."""
    try:
        found = [(path.stat(), path.name) for path in folder.iterdir() if path.is_file()]
    except OSError:
        return []
    found.sort(key=lambda file: (-file[0].st_mtime, file[1]))
    rows = [
        (name, size_words(stat.st_size), f"{datetime.fromtimestamp(stat.st_mtime):%m-%d %H:%M}") for stat, name in found
    ]
    return [[], [("in the folder", "bold")], *_table(rows, width)] if rows else []


def _fitted(lines: Sequence[Line], room: int) -> list[Line]:
    """As many of the lines as there is room for, and how many more there are."""
    if len(lines) <= room:
        return list(lines)
    shown = max(0, room - 1)
    return [*lines[:shown], [(f"  and {len(lines) - shown} more", "dim")]][: max(0, room)]


def files_words(files: Sequence[Planned]) -> str:
    """How many files, and how large they are together: `3 files, about 280.0 KB`."""
    folders = sum(file.bytes is None for file in files)
    said = [_counted(len(files) - folders, "file")] if folders < len(files) else []
    if not folders:
        about = "" if all(file.exact for file in files) else "about "
        return f"{said[0]}, {about}{size_words(sum(file.bytes or 0 for file in files))}"
    return f"{' and '.join([*said, _counted(folders, 'folder')])}, with the model's help"


def size_words(size: int) -> str:
    """Bytes for people: 512 B, 12.3 KB, 4.5 GB."""
    if size < 1000:
        return f"{size} B"
    unit = "KB" if size < 10**6 else "MB" if size < 10**9 else "GB"
    return f"{size / {'KB': 1e3, 'MB': 1e6, 'GB': 1e9}[unit]:.1f} {unit}"


def end_of(text: str, width: int) -> str:
    """Inert text on one line of at most `width` columns, of which the end is kept: names of files differ there."""
    line = inert(text).replace("\n", " ").replace("\t", " ")
    if columns(line) <= width:
        return line
    while line and columns(line) >= width:
        line = line[1:]
    return f"…{line}"


def _wrapped(text: str, width: int, style: str) -> list[Line]:
    return [[(line, style)] for line in Wrapped(text, width).lines]


def _table(rows: Sequence[tuple[str, str, str]], width: int) -> list[Line]:
    """Names, sizes and what else is to be said, in columns."""
    sizes, notes = (max((len(row[place]) for row in rows), default=0) for place in (1, 2))
    room = max(NAME_LEAST, width - sizes - notes - 6)
    names = [end_of(name, room) for name, _, _ in rows]
    room = max(map(columns, names), default=0)
    return [
        [(f"  {name}{' ' * (room - columns(name))}", ""), (f"  {size:>{sizes}}  {note}".rstrip(), "dim")]
        for name, (_, size, note) in zip(names, rows, strict=True)
    ]


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
