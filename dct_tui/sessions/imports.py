"""Directions from files of other programs as features of a session: `imports/INDEX.safetensors`, one a feature.

Which feature a direction is stands in the journal of averages, which numbers all features that no fit made.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from dct_tui.errors import SessionDamaged

from .atomic import write_atomic
from .folder import make_folder
from .layout import IMPORTS_FOLDER
from .regular import read_regular

if TYPE_CHECKING:
    from .session import Session

__all__ = ["Imported", "ImportedVectors", "add_import", "import_record", "read_import"]


@dataclass(frozen=True)
class Imported:
    """Where an imported direction comes from, and what was measured of it.

    Attributes:
        name: of the vector in the file.
        file: the file's name.
        sha256: of the tensors that the session keeps of it.
        layers: how its layer was read from the file, and what trying the neighbouring layers says.
        strength: the file's own length of the vector, in units of R.
        alpha, norm, kl, words: as of fitted features; 0, None and empty where no model was open.
    """

    name: str
    file: str
    sha256: str
    layers: str
    strength: float
    alpha: float = 0.0
    norm: float | None = None
    kl: float | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImportedVectors:
    """The direction v and the output direction u (d values, of length 1; u of zeros where it was not measured)."""

    v: NDArray[np.float32]
    u: NDArray[np.float32]


def add_import(session: Session, vectors: ImportedVectors, about: Imported) -> int:
    """Keeps a direction as a feature; returns its index. The sha256 of `about` is filled in.

    Raises:
        DctError: no room.
        SessionBusy: another process is adding a feature.
    """
    from .averages import Average

    arrays = {"v": vectors.v, "u": vectors.u}
    data = safetensors.numpy.save({name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()})
    with session.writing("averages"):
        index = session.feature_count
        path = _path(session.path, index)
        make_folder(path.parent)
        write_atomic(path, data)
        # A file that no line names is none: after a crash here the next import takes its place.
        named = asdict(about) | {"sha256": hashlib.sha256(data).hexdigest()}
        session.averages.append(asdict(Average(index)) | {"imported": named}, durable=True)
    return index


def read_import(folder: Path, index: int, about: Imported, width: int) -> ImportedVectors:
    """What a session's folder holds of an imported feature.

    Raises:
        SessionDamaged: it is missing, damaged, or not what was imported.
    """
    path = _path(folder, index)
    try:
        data = read_regular(path)
        if hashlib.sha256(data).hexdigest() != about.sha256:
            raise ValueError("it is not the file that was imported")
        arrays = safetensors.numpy.load(data)
        v, u = arrays["v"], arrays["u"]
        if v.shape != (width,) or u.shape != (width,) or not all(np.isfinite(array).all() for array in arrays.values()):
            raise ValueError(f"v and u should have {width} finite values")
    except (OSError, safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise SessionDamaged(
            f"{path} is damaged or missing: {error}", "restore it, or take the last lines out of averages.jsonl"
        ) from error
    return ImportedVectors(v, u)


def import_record(index: int, about: Imported) -> dict[str, Any]:
    """A record as `features.json` has them, with `members` (none) and `imported` besides."""
    return {
        "index": index,
        "rank": index + 1,
        "alpha": about.alpha,
        "norm": about.norm,
        "kl": about.kl,
        "words": list(about.words),
        "neighbours": [],
        "members": [],
        "imported": {"name": about.name, "file": about.file, "layers": about.layers, "strength": about.strength},
    }


def _path(folder: Path, index: int) -> Path:
    return folder / IMPORTS_FOLDER / f"{index}.safetensors"
