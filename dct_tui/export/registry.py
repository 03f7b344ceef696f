"""The formats, and the one way to write files in them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dct_tui.errors import DctError
from dct_tui.paths import expand
from dct_tui.sessions.atomic import write_atomic
from dct_tui.sessions.folder import make_folder

from .arrays import npz_bytes, safetensors_bytes
from .gguf_control import control_vector_bytes
from .vectors import ExportContext, ExportVector

__all__ = ["FORMATS", "ExportFormat", "ExportOptions", "Written", "export_vectors"]


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """How files are written.

    Attributes:
        force: replace files that are there.
        combine: GGUF only: one file that adds all vectors at once, rather than one for each.
        sparse: GGUF only: leave out the layers that have no vector.
    """

    force: bool = False
    combine: bool = False
    sparse: bool = False


@dataclass(frozen=True)
class ExportFormat:
    """A file format. `build` gives the bytes of one file; `one_each` formats hold one vector a file."""

    name: str
    suffix: str
    description: str
    one_each: bool
    build: Callable[[Sequence[ExportVector], ExportContext, ExportOptions], bytes]


@dataclass(frozen=True)
class Written:
    """A file that was written."""

    path: Path
    bytes: int
    sha256: str


_ALL = (
    ExportFormat(
        "safetensors",
        ".safetensors",
        "V, U, scale and where they belong; for any program",
        one_each=False,
        build=lambda vectors, context, options: safetensors_bytes(vectors, context),
    ),
    ExportFormat(
        "npz",
        ".npz",
        "the same arrays for numpy",
        one_each=False,
        build=lambda vectors, context, options: npz_bytes(vectors, context),
    ),
    ExportFormat(
        "gguf",
        ".gguf",
        "control vector for llama.cpp, repeng and EasySteer; steering only",
        one_each=True,
        build=lambda vectors, context, options: control_vector_bytes(vectors, context, sparse=options.sparse),
    ),
)
FORMATS: dict[str, ExportFormat] = {form.name: form for form in _ALL}


def export_vectors(
    format_name: str,
    vectors: Sequence[ExportVector],
    context: ExportContext,
    destination: Path,
    options: ExportOptions | None = None,
) -> list[Written]:
    """Write `vectors` in a format, and say what was written.

    `destination` is a folder, made where it is missing, or a file where it ends in the format's suffix. Every
    file is built before the first is written.

    Raises:
        DctError: an unknown format, no vectors, vectors the format cannot hold, several files for one name, a
            file that is there already (without `force`), or no room.
    """
    options = options or ExportOptions()
    if format_name not in FORMATS:
        raise DctError(f"there is no export format {format_name!r}", f"choose one of {', '.join(FORMATS)}")
    if not vectors:
        raise DctError("nothing to export", "name at least one feature")
    form = FORMATS[format_name]
    groups = [[vector] for vector in vectors] if form.one_each and not options.combine else [list(vectors)]
    paths = _paths(form, groups, context, destination)
    files = [form.build(group, context, options) for group in groups]
    if not options.force:
        for path in paths:
            if path.exists():
                raise DctError(f"{path} is there already", "choose another place, or replace it with --force")
    written = []
    for path, data in zip(paths, files, strict=True):
        make_folder(path.parent)
        write_atomic(path, data)
        written.append(Written(path, len(data), hashlib.sha256(data).hexdigest()))
    return written


def _paths(
    form: ExportFormat, groups: Sequence[Sequence[ExportVector]], context: ExportContext, destination: Path
) -> list[Path]:
    destination = expand(destination)
    if destination.suffix == form.suffix and not destination.is_dir():
        if len(groups) > 1:
            raise DctError(
                f"{len(groups)} vectors make {len(groups)} files, and {destination.name} is one",
                "name a folder, or combine them",
            )
        return [destination]
    paths = [destination / f"{_stem(context, group)}{form.suffix}" for group in groups]
    if len(set(paths)) < len(paths):
        raise DctError("two of the vectors have the same name", "export them one at a time")
    return paths


def _stem(context: ExportContext, group: Sequence[ExportVector]) -> str:
    what = group[0].name if len(group) == 1 else f"{len(group)} vectors"
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", f"{context.name}-{what}").strip("-.")[:120]
