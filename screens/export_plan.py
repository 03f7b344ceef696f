"""What an export will write: which vectors, in which files, how large, and what is refused, before anything is."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from dct_tui.errors import DctError
from dct_tui.export import FORMATS, ExportOptions, lay_out, selected_vectors, session_context
from dct_tui.features.choose import parse_indices
from dct_tui.paths import expand
from dct_tui.sessions import replay
from dct_tui.sessions.selection import Direction, Role, Selection

from .workspace import Workspace

if TYPE_CHECKING:
    from dct_tui.export import ExportContext, ExportFormat, ExportVector

__all__ = [
    "NOTES",
    "WAYS",
    "WHICH",
    "Choices",
    "Foreseen",
    "Outcome",
    "Planned",
    "Refused",
    "Which",
    "command_lines",
    "counts",
    "folder_of",
    "foresee",
    "indices",
    "plan",
    "selection_of",
    "vectors_of",
]

Which: TypeAlias = Literal["starred", "selected", "rack", "all", "numbers"]
WHICH: tuple[Which, ...] = ("starred", "selected", "rack", "all", "numbers")
NOTES: dict[Which, str] = {
    "starred": "those you gave a star",
    "selected": "those selected on the features screen",
    "rack": "as the chat has them: strength, sign, ablations",
    "all": "every feature of the session",
    "numbers": "those whose numbers you type",
}
WAYS: dict[str, tuple[Role, Direction]] = {
    "steer with the input directions": ("add", "input"),
    "steer with the output directions": ("add", "output"),
    "ablate the input directions": ("ablate", "input"),
    "ablate the output directions": ("ablate", "output"),
}
"""What is to be done with the vectors → role and direction."""

EXACT_UNDER = 2**21
"""Bytes of files that are built to foresee them; of more the size is reckoned. Nobody is to wait for it."""


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
    """A file that will be written, or a folder with the model's help.

    Attributes:
        bytes: reckoned where it is not `exact`; None where only the model can tell.
    """

    form: str
    path: Path
    bytes: int | None
    exact: bool
    is_there: bool


@dataclass(frozen=True)
class Refused:
    """A format that cannot hold what is chosen, and why."""

    form: str
    why: str


@dataclass(frozen=True)
class Foreseen:
    """What the choices come to; `problem` says why it is nothing."""

    vectors: Sequence[ExportVector] = ()
    planned: Sequence[Planned | Refused] = ()
    problem: DctError | None = None

    @property
    def files(self) -> list[Planned]:
        """What will be written."""
        return [one for one in self.planned if isinstance(one, Planned)]

    @property
    def refused(self) -> dict[str, str]:
        """Formats that cannot hold what is chosen → why."""
        return {one.form: one.why for one in self.planned if isinstance(one, Refused)}

    @property
    def formats(self) -> list[str]:
        """Those that will be written."""
        return list(dict.fromkeys(one.form for one in self.files))


@dataclass
class Outcome:
    """What was done: files as `path`, `bytes` and `sha256`, and checks of them as an engine tells them."""

    files: list[Mapping[str, Any]] = field(default_factory=list)
    checks: list[Mapping[str, Any]] = field(default_factory=list)


def foresee(workspace: Workspace, choices: Choices) -> Foreseen:
    """What will be written."""
    try:
        vectors = vectors_of(workspace, choices)
        return Foreseen(vectors, plan(workspace, choices, vectors))
    except DctError as error:
        return Foreseen(problem=error)


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
    if not workspace.session.has_fit:
        raise DctError("there are no features yet", "they are there once the fit is done: 2 shows how far it is")
    return selected_vectors(workspace.session, selection_of(workspace, choices))


def selection_of(workspace: Workspace, choices: Choices) -> Selection:
    """What is chosen, as an engine is told it. Raises DctError for numbers that name none."""
    if choices.which == "rack":
        return Selection(rack=tuple(workspace.rack))
    role, direction = WAYS[choices.way]
    chosen = tuple(indices(workspace, choices))
    return Selection(features=chosen, strength=choices.strength, role=role, direction=direction)


def indices(workspace: Workspace, choices: Choices) -> list[int]:
    """The chosen features, of other choices than the rack. Raises DctError for numbers that name none."""
    if choices.which == "starred":
        return starred(workspace)
    if choices.which == "selected":
        return sorted(workspace.selected)
    text = "all" if choices.which == "all" else choices.numbers
    return parse_indices(text, workspace.session.feature_count, "feature")


def folder_of(workspace: Workspace, choices: Choices) -> Path:
    """Where the files go: the typed folder, or the session's own. Raises DctError for what can be no path."""
    return expand(choices.folder) if choices.folder.strip() else workspace.session.exports


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
        rack = [
            f"--{'steer' if entry.mode == 'steer' else 'ablate'} {shlex.quote(str(entry))}"
            for entry in workspace.rack
            if entry.on
        ]
        lines.append(" ".join(["dct-tui chat", quoted, *rack]))
    elif WAYS[choices.way] == ("add", "input"):
        chosen = ",".join(map(str, indices(workspace, choices)))
        folder = shlex.quote(str(folder_of(workspace, choices)))
        for form in sorted(choices.formats):
            options = f"--strength {choices.strength:g}" + " --combine" * choices.combine
            lines.append(f"dct-tui export {quoted} --features {chosen} --format {form} --out {folder} {options}")
    return list(dict.fromkeys(lines))


def _files(
    form: ExportFormat, vectors: Sequence[ExportVector], context: ExportContext, folder: Path, combine: bool
) -> list[Planned]:
    groups, paths = lay_out(form, vectors, context, folder, combine=combine)
    if form.build is None:
        return [Planned(form.name, path, None, False, path.exists()) for path in paths]
    options = ExportOptions(combine=combine)
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
