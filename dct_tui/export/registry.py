"""The formats, and the one way to write files in them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from dct_tui.errors import DctError
from dct_tui.sessions.atomic import write_atomic

from .arrays import npz_bytes, safetensors_bytes
from .certificate import Check, Exported, Written, read_receipt, write_receipts
from .gguf_control import control_vector_bytes
from .placing import Fill, place, places, written_files
from .reading import read_back
from .snippet import snippet_bytes
from .steering_vectors import steering_vector_bytes
from .vectors import ExportContext, ExportVector, Role

__all__ = [
    "FORMATS",
    "ExportFormat",
    "ExportOptions",
    "export_vectors",
    "exporting",
    "find_format",
    "lay_out",
    "write_exports",
    "written_exports",
]


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """How files are written.

    Attributes:
        force: replace files that are there.
        combine: gguf and steering-vectors only: one file that adds all vectors at once, rather than one for each.
        sparse: gguf only: leave out the layers that have no vector.
    """

    force: bool = False
    combine: bool = False
    sparse: bool = False


Build: TypeAlias = Callable[[Sequence[ExportVector], ExportContext, ExportOptions], bytes]
BOTH: tuple[Role, ...] = ("add", "ablate")


@dataclass(frozen=True)
class ExportFormat:
    """A file format.

    Attributes:
        name: as `--format` takes it.
        suffix: how the name of its file ends, or of its folder.
        description: what it is for, in at most 46 columns.
        one_each: whether it holds one vector a file.
        roles: what it can hold: vectors to add, directions to ablate. No format mistakes one for the other.
        build: gives the bytes of one file; None where a folder is written, which needs the model: see
            `dct_tui.jobs.edit_job`.
    """

    name: str
    suffix: str
    description: str
    one_each: bool
    roles: tuple[Role, ...]
    build: Build | None

    @property
    def needs_model(self) -> bool:
        """Whether it is made from the model's weights."""
        return self.build is None


_ALL = (
    ExportFormat(
        "safetensors",
        ".safetensors",
        "V, U, R and where they belong; any program",
        one_each=False,
        roles=BOTH,
        build=lambda vectors, context, options: safetensors_bytes(vectors, context),
    ),
    ExportFormat(
        "npz",
        ".npz",
        "the same arrays for numpy",
        one_each=False,
        roles=BOTH,
        build=lambda vectors, context, options: npz_bytes(vectors, context),
    ),
    ExportFormat(
        "gguf",
        ".gguf",
        "llama.cpp, repeng, EasySteer; steering only",
        one_each=True,
        roles=("add",),
        build=lambda vectors, context, options: control_vector_bytes(vectors, context, sparse=options.sparse),
    ),
    ExportFormat(
        "steering-vectors",
        ".pt",
        "that package, and torch; steering only",
        one_each=True,
        roles=("add",),
        build=lambda vectors, context, options: steering_vector_bytes(vectors, context),
    ),
    ExportFormat(
        "python",
        ".py",
        "a program that chats under the vectors",
        one_each=False,
        roles=BOTH,
        build=lambda vectors, context, options: snippet_bytes(vectors, context),
    ),
    ExportFormat(
        "lora",
        "-lora",
        "PEFT adapter, made by the model; ablation only",
        one_each=False,
        roles=("ablate",),
        build=None,
    ),
    ExportFormat(
        "model",
        "-model",
        "the whole model, edited; for everything",
        one_each=False,
        roles=BOTH,
        build=None,
    ),
)
FORMATS: dict[str, ExportFormat] = {form.name: form for form in _ALL}


def find_format(name: str) -> ExportFormat:
    """The format of that name. Raises DctError where there is none."""
    if name not in FORMATS:
        raise DctError(f"there is no export format {name!r}", f"choose one of {', '.join(FORMATS)}")
    return FORMATS[name]


def export_vectors(
    format_name: str,
    vectors: Sequence[ExportVector],
    context: ExportContext,
    destination: Path,
    options: ExportOptions | None = None,
) -> list[Written]:
    """`write_exports` for who wants to know the files alone."""
    return [file for one in write_exports(format_name, vectors, context, destination, options) for file in one.files]


def write_exports(
    format_name: str,
    vectors: Sequence[ExportVector],
    context: ExportContext,
    destination: Path,
    options: ExportOptions | None = None,
    *,
    fill: Fill | None = None,
) -> list[Exported]:
    """Write `vectors` in a format, and say what was written. All of it is written, or nothing.

    `destination` is a folder, made where it is missing, or a file where it ends in the format's suffix. A
    `receipt.json` beside the files says what they are.

    Args:
        fill: of a format that needs the model: writes the files of some vectors into a folder.

    Raises:
        DctError: an unknown format or one that needs the model, no vectors, vectors the format cannot hold, several
            files for one name, a file that is there already (without `force`), or no room.
    """
    return list(exporting(format_name, vectors, context, destination, options, fill=fill))


def exporting(
    format_name: str,
    vectors: Sequence[ExportVector],
    context: ExportContext,
    destination: Path,
    options: ExportOptions | None = None,
    *,
    fill: Fill | None = None,
) -> Generator[Exported, None, None]:
    """`write_exports` step by step: gives each export when it is whole, and puts them in their places after the last.

    Closed before its end it leaves nothing.
    """
    options = options or ExportOptions()
    form = find_format(format_name)
    groups, paths = lay_out(form, vectors, context, destination, combine=options.combine)
    if form.build is not None:
        build = form.build
        read_receipt(paths[0].parent)  # One of another kind is refused before anything is written.

        def fill(group: Sequence[ExportVector], path: Path) -> None:
            write_atomic(path, build(group, context, options))
    elif fill is None:
        raise DctError(
            f"the {form.name} format is made from the model's weights", f"open the model: --format {form.name} --verify"
        )
    done: list[tuple[Exported, list[Check]]] = []
    with closing(place(paths, groups, fill, folders=form.needs_model, force=options.force)) as placing:
        for (staged, files), group, path in zip(placing, groups, paths, strict=True):
            export = Exported(form.name, path, tuple(group), tuple(files))
            done.append((export, read_back(replace(export, path=staged))))
            yield export
    write_receipts(done, context)


def written_exports(
    format_name: str,
    vectors: Sequence[ExportVector],
    context: ExportContext,
    destination: Path,
    options: ExportOptions | None = None,
) -> list[Exported]:
    """What `write_exports` wrote earlier, as it lies there. Raises DctError as that, and where something is missing."""
    form, options = find_format(format_name), options or ExportOptions()
    groups, paths = lay_out(form, vectors, context, destination, combine=options.combine)
    return [
        Exported(form.name, path, tuple(group), tuple(written_files(path)))
        for group, path in zip(groups, paths, strict=True)
    ]


def lay_out(
    form: ExportFormat, vectors: Sequence[ExportVector], context: ExportContext, destination: Path, *, combine: bool
) -> tuple[list[list[ExportVector]], list[Path]]:
    """Which vectors go into which file or folder.

    Raises:
        DctError: no vectors, some that the format cannot hold, or several files for one name.
    """
    if not vectors:
        raise DctError("nothing to export", "name at least one feature")
    _require_roles(form, vectors)
    groups = [[vector] for vector in vectors] if form.one_each and not combine else [list(vectors)]
    return groups, places(form.suffix, groups, context, destination, folders=form.needs_model)


def _require_roles(form: ExportFormat, vectors: Sequence[ExportVector]) -> None:
    for vector in vectors:
        if vector.role not in form.roles:
            does, done = ("added", "ablates") if vector.role == "add" else ("ablated", "adds")
            right = ", ".join(other.name for other in _ALL if vector.role in other.roles)
            raise DctError(
                f"{vector.name} is to be {does}, and the {form.name} format only {done}", f"choose one of {right}"
            )
