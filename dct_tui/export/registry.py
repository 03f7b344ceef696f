"""The formats, and the one way to write files in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from dct_tui.errors import DctError

from .arrays import npz_bytes, safetensors_bytes
from .certificate import Exported, Written, write_receipts
from .gguf_control import control_vector_bytes
from .placing import Fill, place_files, place_folders, places
from .reading import read_back
from .snippet import snippet_bytes
from .steering_vectors import steering_vector_bytes
from .vectors import ExportContext, ExportVector, Role

__all__ = ["FORMATS", "ExportFormat", "ExportOptions", "export_vectors", "find_format", "write_exports"]


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
        description: what it is for, on one line.
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
        "V, U, scale and where they belong; for any program",
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
        "control vector for llama.cpp, repeng and EasySteer; steering only",
        one_each=True,
        roles=("add",),
        build=lambda vectors, context, options: control_vector_bytes(vectors, context, sparse=options.sparse),
    ),
    ExportFormat(
        "steering-vectors",
        ".pt",
        "tensors for the steering-vectors package and torch; steering only",
        one_each=True,
        roles=("add",),
        build=lambda vectors, context, options: steering_vector_bytes(vectors, context),
    ),
    ExportFormat(
        "python",
        ".py",
        "a program of its own that chats under the vectors; needs transformers only",
        one_each=False,
        roles=BOTH,
        build=lambda vectors, context, options: snippet_bytes(vectors, context),
    ),
    ExportFormat(
        "lora",
        "-lora",
        "PEFT adapter for transformers and vLLM; ablation only; needs the model",
        one_each=False,
        roles=("ablate",),
        build=None,
    ),
    ExportFormat(
        "model",
        "-model",
        "the whole model with the edit in its weights; for everything; needs the model",
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
    """Write `vectors` in a format, and say what was written.

    `destination` is a folder, made where it is missing, or a file where it ends in the format's suffix. Every
    file is built before the first is written. A `receipt.json` beside the files says what they are.

    Raises:
        DctError: an unknown format or one that needs the model, no vectors, vectors the format cannot hold, several
            files for one name, a file that is there already (without `force`), or no room.
    """
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
    """`export_vectors` for who goes on to verify what was written.

    Args:
        fill: of a format that needs the model: writes the files of some vectors into a folder.

    Raises:
        DctError: as `export_vectors`.
    """
    options = options or ExportOptions()
    form = find_format(format_name)
    if not vectors:
        raise DctError("nothing to export", "name at least one feature")
    _require_roles(form, vectors)
    groups = [[vector] for vector in vectors] if form.one_each and not options.combine else [list(vectors)]
    paths = places(form.suffix, groups, context, destination, folders=form.needs_model)
    if form.build is not None:
        build = form.build
        written = place_files(paths, lambda group: build(group, context, options), groups, force=options.force)
    elif fill is not None:
        written = place_folders(paths, fill, groups, force=options.force)
    else:
        raise DctError(
            f"the {form.name} format is made from the model's weights", f"open the model: --format {form.name} --verify"
        )
    exports = [
        Exported(form.name, path, tuple(group), tuple(files))
        for path, group, files in zip(paths, groups, written, strict=True)
    ]
    write_receipts([(export, read_back(export)) for export in exports], context)
    return exports


def _require_roles(form: ExportFormat, vectors: Sequence[ExportVector]) -> None:
    for vector in vectors:
        if vector.role not in form.roles:
            does, done = ("added", "ablates") if vector.role == "add" else ("ablated", "adds")
            right = ", ".join(other.name for other in _ALL if vector.role in other.roles)
            raise DctError(
                f"{vector.name} is to be {does}, and the {form.name} format only {done}", f"choose one of {right}"
            )
