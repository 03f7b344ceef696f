"""What an export will write: which vectors, in which files, how large, and what is refused, before anything is."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from dct_tui.errors import DctError
from dct_tui.export import FORMATS, ExportOptions, rack_vectors, session_context, session_vectors
from dct_tui.export.placing import places
from dct_tui.features.choose import parse_indices
from dct_tui.sessions import replay

from .workspace import Workspace

if TYPE_CHECKING:
    from dct_tui.export.registry import ExportFormat
    from dct_tui.export.vectors import Direction, ExportContext, ExportVector, Role

__all__ = ["WAYS", "WHICH", "Choices", "Planned", "Refused", "command_lines", "counts", "plan", "vectors_of"]

Which: TypeAlias = Literal["starred", "selected", "rack", "all", "numbers"]
WHICH: tuple[Which, ...] = ("starred", "selected", "rack", "all", "numbers")
WAYS: dict[str, tuple[str, str]] = {
    "steer with the input directions": ("add", "input"),
    "steer with the output directions": ("add", "output"),
    "ablate the input directions": ("ablate", "input"),
    "ablate the output directions": ("ablate", "output"),
}
"""What is to be done with the vectors → role and direction."""

EXACT_UNDER = 2**24
"""Bytes of files that are built to foresee them; of more the size is reckoned."""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """An export as a person chooses it. Of the rack, each entry says itself what is done with it and how strongly."""

    which: Which
    numbers: str = "0"
    way: str = "steer with the input directions"
    formats: frozenset[str] = frozenset({"safetensors"})
    strength: float = 1.0
    combine: bool = False
    folder: str = ""


@dataclass(frozen=True)
class Planned:
    """A file that will be written. Its size is reckoned where it is not `exact`."""

    form: str
    path: Path
    bytes: int
    exact: bool
    is_there: bool


@dataclass(frozen=True)
class Refused:
    """A format that cannot hold what is chosen, and why."""

    form: str
    why: str


def counts(workspace: Workspace) -> dict[Which, int]:
    """How many features each choice has. Raises SessionDamaged where the session cannot be read."""
    return {
        "starred": len(starred(workspace)),
        "selected": len(workspace.selected),
        "rack": sum(entry.on for entry in workspace.rack),
        "all": workspace.session.feature_count,
    }


def starred(workspace: Workspace) -> list[int]:
    """The features with a star."""
    return replay(workspace.session.read_marks()[0]).starred()


def vectors_of(workspace: Workspace, choices: Choices) -> list[ExportVector]:
    """The chosen vectors.

    Raises:
        DctError: none are chosen, there is no such feature or no fit, or a strength is none.
    """
    session = workspace.session
    if not session.has_fit:
        raise DctError("there are no features yet", "they are there once the fit is done: 2 shows how far it is")
    if choices.which == "rack":
        return rack_vectors(session, workspace.rack)
    role, direction = WAYS[choices.way]
    return session_vectors(
        session,
        indices(workspace, choices),
        strength=choices.strength,
        role=cast("Role", role),
        direction=cast("Direction", direction),
    )


def indices(workspace: Workspace, choices: Choices) -> list[int]:
    """The chosen features, of other choices than the rack. Raises DctError for numbers that name none."""
    if choices.which == "starred":
        return starred(workspace)
    if choices.which == "selected":
        return sorted(workspace.selected)
    text = "all" if choices.which == "all" else choices.numbers
    return parse_indices(text, workspace.session.feature_count, "feature")


def folder_of(workspace: Workspace, choices: Choices) -> Path:
    """Where the files go: the typed folder, or the session's own."""
    return Path(choices.folder).expanduser() if choices.folder.strip() else workspace.session.exports


def plan(workspace: Workspace, choices: Choices, vectors: Sequence[ExportVector]) -> list[Planned | Refused]:
    """The files of every chosen format, in the order of the registry."""
    context = session_context(workspace.session)
    found: list[Planned | Refused] = []
    for name, form in FORMATS.items():
        if name in choices.formats and vectors:
            try:
                found += _files(form, vectors, context, folder_of(workspace, choices), choices.combine)
            except DctError as error:
                found.append(Refused(name, str(error)))
    return found


def command_lines(workspace: Workspace, choices: Choices, written: Sequence[Path]) -> list[str]:
    """Lines to copy: the files' paths, what loads them, and the command that exports the same."""
    lines = [str(path) for path in written]
    quoted = shlex.quote(str(workspace.path))
    lines += [
        f"llama-cli -m MODEL.gguf --control-vector-scaled {shlex.quote(str(path))}:1.0"
        for path in written
        if path.suffix == ".gguf"
    ]
    if choices.which == "rack":
        steers = [
            f"--steer {shlex.quote(str(entry))}" for entry in workspace.rack if entry.on and entry.mode == "steer"
        ]
        lines.append(" ".join(["dct-tui chat", quoted, *steers]))
    elif WAYS[choices.way] == ("add", "input"):
        chosen = ",".join(map(str, indices(workspace, choices)))
        folder = shlex.quote(str(folder_of(workspace, choices)))
        for form in sorted(choices.formats):
            options = f"--strength {choices.strength:g}" + " --combine" * choices.combine
            lines.append(f"dct-tui export {quoted} --features {chosen} --format {form} --out {folder} {options}")
    return list(dict.fromkeys(lines))


def _files(
    form: ExportFormat, vectors: Sequence[ExportVector], context: ExportContext, folder: Path, combine: bool
) -> list[Planned | Refused]:
    if form.build is None:
        raise DctError("it is made from the model's weights", "dct-tui export --help tells how")
    if other := next((vector for vector in vectors if vector.role not in form.roles), None):
        only = "adds" if form.roles == ("add",) else "ablates"
        raise DctError(f"{other.name} is not what it holds: it only {only}")
    options = ExportOptions(combine=combine)
    groups = [[vector] for vector in vectors] if form.one_each and not combine else [list(vectors)]
    paths = places(form.suffix, groups, context, folder, folders=False)
    each = _reckoned(form, len(groups[0]), context)
    exact = each * len(groups) <= EXACT_UNDER
    sizes = [len(form.build(group, context, options)) for group in (groups if exact else groups[:0])]
    return [
        Planned(form.name, path, sizes[place] if exact else each, exact, path.exists())
        for place, path in enumerate(paths)
    ]


def _reckoned(form: ExportFormat, vectors: int, context: ExportContext) -> int:
    # A control vector has a row for every layer; the others two for every vector.
    rows = context.depth if form.one_each else 2 * vectors
    return 4 * context.width * rows
