"""The tensors of a session, in safetensors files: the fitted transcoder and the checkpoint of a running fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import orjson
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from dct_tui.errors import DctError, SessionDamaged

from .atomic import write_atomic
from .schema import SCHEMA, check_schema

__all__ = ["Checkpoint", "FitTensors", "read_checkpoint", "read_fit", "write_checkpoint", "write_fit"]

Float32: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class FitTensors:
    """A fitted transcoder: Δ(Rθ) ≈ Σ α σ(⟨v,θ⟩) u. Columns are features; U and V have unit columns."""

    U: Float32
    """Output directions, d_out × m."""
    V: Float32
    """Input directions, d × m."""
    alpha: Float32
    """Strengths, m."""
    scale: float
    """R, the norm at which the directions were trained and are applied."""
    iteration: int
    source: int
    target: int


@dataclass(frozen=True)
class Checkpoint:
    """Where a fit stood after its last finished iteration."""

    iteration: int
    arrays: dict[str, NDArray[np.floating[Any]]]
    """Named arrays of float32 or float64, of any shape."""
    state: dict[str, Any] = field(default_factory=dict)
    """What JSON can hold of the state."""


def write_fit(path: Path, fit: FitTensors) -> None:
    """Write the transcoder, whole or not at all.

    Raises:
        DctError: shapes that do not fit together, values that are not finite, or no room.
    """
    arrays = {name: np.ascontiguousarray(getattr(fit, name), np.float32) for name in ("U", "V", "alpha")}
    arrays["scale"] = np.asarray(fit.scale, np.float32)
    if problem := _fit_problem(arrays) or _not_finite(arrays):
        raise DctError(f"the fit cannot be saved: {problem}")
    metadata = {
        "schema": str(SCHEMA),
        "iteration": str(fit.iteration),
        "source": str(fit.source),
        "target": str(fit.target),
    }
    write_atomic(path, safetensors.numpy.save(arrays, metadata))


def read_fit(path: Path) -> FitTensors:
    """Read the transcoder.

    Raises:
        SessionDamaged: the file is missing, cut, or holds something else.
        SchemaTooNew: a newer program wrote it.
    """
    arrays, metadata = _load(path)
    check_schema(metadata.get("schema"), path.name)
    if problem := _fit_problem(arrays) or _not_finite(arrays):
        raise _damaged(path, problem)
    return FitTensors(
        U=arrays["U"],
        V=arrays["V"],
        alpha=arrays["alpha"],
        scale=float(arrays["scale"].item()),
        iteration=_count(metadata, "iteration", path),
        source=_count(metadata, "source", path),
        target=_count(metadata, "target", path),
    )


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint, whole or not at all.

    Raises:
        DctError: an array that is not of floats or not finite, or no room.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in checkpoint.arrays.items()}
    if problem := _not_floats(arrays) or _not_finite(arrays):
        raise DctError(f"iteration {checkpoint.iteration} cannot be saved: {problem}")
    state = orjson.dumps(checkpoint.state, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    metadata = {"schema": str(SCHEMA), "iteration": str(checkpoint.iteration), "state": state}
    write_atomic(path, safetensors.numpy.save(arrays, metadata))


def read_checkpoint(path: Path) -> Checkpoint:
    """Read the checkpoint.

    Raises:
        SessionDamaged: the file is missing, cut, or holds something else.
        SchemaTooNew: a newer program wrote it.
    """
    arrays, metadata = _load(path)
    check_schema(metadata.get("schema"), path.name)
    if problem := _not_floats(arrays) or _not_finite(arrays):
        raise _damaged(path, problem)
    try:
        state = orjson.loads(metadata.get("state", ""))
    except orjson.JSONDecodeError as error:
        raise _damaged(path, "its state is not JSON") from error
    if not isinstance(state, dict):
        raise _damaged(path, "its state is no object")
    return Checkpoint(_count(metadata, "iteration", path), arrays, state)


def _load(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    if path.exists() and not path.is_file():
        raise _damaged(path, "it is no plain file")
    try:
        with safetensors.safe_open(path, "numpy") as file:
            metadata = file.metadata() or {}
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except FileNotFoundError as error:
        raise SessionDamaged(f"{path} is missing", "run the fit, or resume it") from error
    except (safetensors.SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:
        raise _damaged(path, str(error)) from error


def _fit_problem(arrays: Mapping[str, NDArray[Any]]) -> str:
    if arrays.keys() != {"U", "V", "alpha", "scale"}:
        return f"it should hold U, V, alpha and scale, not {', '.join(sorted(arrays)) or 'nothing'}"
    for name, array in arrays.items():
        if array.dtype != np.float32:
            return f"{name} is {array.dtype}, not float32"
    U, V, alpha, scale = (arrays[name] for name in ("U", "V", "alpha", "scale"))
    if U.ndim != 2 or V.ndim != 2 or alpha.ndim != 1 or not U.shape[1] == V.shape[1] == alpha.shape[0]:
        return f"U {U.shape}, V {V.shape} and alpha {alpha.shape} do not belong together"
    if not V.size or not U.size:
        return "it holds no features"
    if scale.size != 1 or not scale.item() > 0:
        return "scale is not one positive number"
    return ""


def _not_floats(arrays: Mapping[str, NDArray[Any]]) -> str:
    odd = [name for name, array in arrays.items() if array.dtype not in (np.float32, np.float64)]
    return f"{odd[0]} is {arrays[odd[0]].dtype}, not float32 or float64" if odd else ""


def _not_finite(arrays: Mapping[str, NDArray[Any]]) -> str:
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            return f"{name} has values that are not finite"
    return ""


def _count(metadata: Mapping[str, str], name: str, path: Path) -> int:
    text = metadata.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise _damaged(path, f"its {name} should be a whole number, not {text[:40]!r}")
    return int(text)


def _damaged(path: Path, problem: str) -> SessionDamaged:
    return SessionDamaged(
        f"{path} is damaged: {problem}", "move it away and resume the fit; marks and samples are not touched"
    )
