"""Vectors from files of other programs: GGUF, safetensors and npz. Nothing is ever unpickled.

Files differ in how they count layers. Here a vector's place is the block that it enters, 0-based: what is added to the
output of block N enters block N+1, and transformers' `hidden_states[N]` enters block N.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from dct_tui.errors import DctError

from .gguf_read import parse_gguf
from .vectors import Float32

__all__ = ["FoundVector", "from_arrays", "read_vectors"]

LARGEST = 2**31
_GGUF_TYPES = {0: "<f4", 1: "<f2"}
_NUMBER = re.compile(r"(?<!\d)\d{1,4}(?!\d)")
_LAYER = re.compile(r"(?<![a-z])(?:(?:layers?|blocks?|blk|direction)[._-]?|h[._])(\d{1,4})(?!\d)", re.IGNORECASE)


@dataclass(frozen=True)
class FoundVector:
    """A vector of a file.

    Attributes:
        name: of it in the file.
        vector: its values, any length.
        enters: the block it enters; None where the file does not say.
        convention: how that was read from the file, in words.
        role: `add`, or `ablate` where the file says that it is to be projected out.
    """

    name: str
    vector: Float32
    enters: int | None
    convention: str
    role: str = "add"


def read_vectors(path: Path, depth: int) -> list[FoundVector]:
    """The vectors of a file that are not all zeros.

    Args:
        path: a `.gguf`, `.safetensors` or `.npz` file.
        depth: the number of blocks of the model that they are for.

    Raises:
        DctError: no file, another kind of file, a damaged or too large one, or one without vectors.
    """
    readers = {".gguf": _gguf, ".safetensors": _safetensors, ".npz": _npz}
    if path.suffix not in readers:
        raise DctError(f"{path.name} is no file that can be imported", f"give one of {', '.join(readers)} or .pt")
    try:
        if path.stat().st_size > LARGEST:
            raise DctError(f"{path.name} is too large for a file of vectors", "give one of at most 2 GB")
        found = readers[path.suffix](path, depth)
    except OSError as error:
        raise DctError(f"{path} cannot be read: {error.strerror or error}", "check the path") from error
    except DctError:
        raise
    except Exception as error:  # hostile files fail in more ways than there are parsers
        raise DctError(f"{path.name} is damaged: {error}", "fetch or export it anew") from error
    return _sound(path, found, depth)


def from_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], depth: int) -> list[FoundVector]:
    """The vectors in named arrays: rows of a table by layer, or one array a layer with its number in its name.

    Raises:
        DctError: no vectors among them.
    """
    return _sound(path, [one for name, array in arrays.items() for one in _of_array(name, array, depth)], depth)


def _sound(path: Path, found: list[FoundVector], depth: int) -> list[FoundVector]:
    if odd := [one.name for one in found if not np.isfinite(one.vector).all()]:
        raise DctError(f"{odd[0]!r} in {path.name} has values that are not finite", "it cannot be used")
    if kept := [_within(one, depth) for one in found if one.vector.any()]:
        return kept
    raise DctError(f"{path.name} holds no vector", "give a file of steering vectors")


def _within(one: FoundVector, depth: int) -> FoundVector:
    """The vector; a place that the model has not is none."""
    if one.enters is None or one.enters <= depth:
        return one
    return replace(one, enters=None, convention=f"{one.convention}, which a model of {depth} blocks has not")


def _layer(name: str) -> int | None:
    """The layer that a name speaks of: behind such a word, else its only number; None where that is not clear."""
    found = {int(number) for number in _LAYER.findall(name)} or {int(number) for number in _NUMBER.findall(name)}
    return found.pop() if len(found) == 1 else None


def _gguf(path: Path, depth: int) -> list[FoundVector]:
    data = path.read_bytes()
    contents = parse_gguf(data)
    found = []
    for tensor in contents.tensors:
        match = re.fullmatch(r"direction\.(\d{1,4})", tensor.name)
        if match is None:
            continue
        if tensor.kind not in _GGUF_TYPES or len(tensor.shape) != 1:
            raise ValueError(f"{tensor.name} is not one row of F32 or F16")
        start, layout = contents.data_start + tensor.offset, np.dtype(_GGUF_TYPES[tensor.kind])
        if start + layout.itemsize * tensor.size > len(data):
            raise ValueError(f"{tensor.name} lies beyond the end of the file")
        values = np.frombuffer(data, layout, tensor.size, start).astype(np.float32)
        layer = int(match[1])
        # EasySteer writes direction.0 too; llama.cpp and repeng have none, and count the others alike.
        found.append(FoundVector(tensor.name, values, layer + 1, f"{tensor.name}: the output of block {layer}"))
    return found


def _safetensors(path: Path, depth: int) -> list[FoundVector]:
    with safetensors.safe_open(path, "numpy") as file:
        about = file.metadata() or {}
    try:
        arrays = safetensors.numpy.load_file(path)
    except (AttributeError, TypeError):
        raise DctError(f"{path.name} has tensors of a type that numpy lacks", "save them as float32") from None
    return _of_arrays(arrays, about, depth)


def _npz(path: Path, depth: int) -> list[FoundVector]:
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > LARGEST:
            raise ValueError("it unpacks to more than 2 GB")
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    about: Any = {}
    if "metadata" in arrays:
        about = orjson.loads(str(arrays.pop("metadata")))
    # What is no array in an archive is given as bytes.
    arrays = {name: array for name, array in arrays.items() if isinstance(array, np.ndarray)}
    return _of_arrays(arrays, about if isinstance(about, dict) else {}, depth)


def _of_arrays(arrays: Mapping[str, NDArray[Any]], about: Mapping[str, str], depth: int) -> list[FoundVector]:
    if about.get("format") != "dct-tui vectors":
        return [one for name, array in arrays.items() for one in _of_array(name, array, depth)]
    block, names = int(about["source_block"]), orjson.loads(about["names"])
    directions = orjson.loads(about["directions"])
    found = []
    for j, (name, direction) in enumerate(zip(names, directions, strict=True)):
        column = arrays["V" if direction == "input" else "U"][:, j].astype(np.float64)
        steering = (column * float(arrays["scale"]) * float(arrays["strength"][j])).astype(np.float32)
        where = f"dct-tui's own file: it enters block {block}"
        found.append(FoundVector(str(name), steering, block, where, str(about["role"])))
    return found


def _of_array(name: str, array: NDArray[Any], depth: int) -> list[FoundVector]:
    if array.dtype.kind != "f":
        return []
    array = np.squeeze(array.astype(np.float32))
    if array.ndim == 1 and array.size > 1:
        layer = _layer(name)
        if layer is None:
            return [FoundVector(name, array, None, "the file does not say which layer it is for")]
        return [FoundVector(name, array, layer + 1, f"{name!r}, taken for the output of block {layer}")]
    if array.ndim == 2 and len(array) == depth + 1:
        rows = "rows taken for hidden_states 0 … depth"
        return [FoundVector(f"{name}[{i}]", row, i, f"{rows}: it enters block {i}") for i, row in enumerate(array)]
    if array.ndim == 2 and len(array) == depth:
        rows = "rows taken for the outputs of blocks 0 … depth-1"
        return [FoundVector(f"{name}[{i}]", row, i + 1, f"{rows}: of block {i}") for i, row in enumerate(array)]
    return []
