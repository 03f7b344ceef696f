"""Files read back as other programs read them, as far as that goes without torch."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import safetensors.numpy
from numpy.typing import NDArray

from .certificate import Check, Exported
from .gguf_lint import lint_control_vector
from .lora import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from .vectors import ExportVector, Float32, columns

__all__ = ["read_back", "same_arrays", "sums_by_block"]

READ = "read back"


def read_back(export: Exported) -> list[Check]:
    """What independent readers say of an export's files; empty where only torch reads them."""
    readers = {
        "safetensors": _safetensors,
        "npz": _npz,
        "gguf": _gguf,
        "python": _python,
        "lora": _lora,
    }
    reader = readers.get(export.format)
    return reader(export) if reader else []


def sums_by_block(vectors: tuple[ExportVector, ...]) -> dict[int, Float32]:
    """What is added to what enters each block, in float32 as the files hold it."""
    sums: dict[int, Float32] = {}
    for vector in vectors:
        sums[vector.source] = sums[vector.source] + vector.steering if vector.source in sums else vector.steering
    return sums


def same_arrays(found: dict[int, NDArray[Any]], meant: dict[int, Float32]) -> str:
    """What is wrong with the arrays of some layers, those of zeros left aside; empty where they are what was meant."""
    found = {layer: array for layer, array in found.items() if np.any(array)}
    if found.keys() != meant.keys():
        return f"it holds layers {sorted(found)}, not {sorted(meant)}"
    wrong = [layer for layer, array in found.items() if not np.array_equal(array, meant[layer])]
    return f"layer {wrong[0]} has other values" if wrong else ""


def _safetensors(export: Exported) -> list[Check]:
    arrays = safetensors.numpy.load_file(export.path)
    return [_judged(f"safetensors {version('safetensors')}", _wrong_arrays(arrays, export))]


def _npz(export: Exported) -> list[Check]:
    with np.load(export.path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files if name != "metadata"}
    return [_judged(f"numpy {np.__version__}", _wrong_arrays(arrays, export))]


def _wrong_arrays(arrays: dict[str, NDArray[Any]], export: Exported) -> str:
    meant = {"V": columns(export.vectors, "input"), "U": columns(export.vectors, "output")}
    for name, array in meant.items():
        if array is not None and not np.array_equal(arrays.get(name, np.zeros(0)), array):
            return f"{name} has other values"
    strengths = [np.float32(vector.strength) for vector in export.vectors]
    if arrays["scale"] != np.float32(export.vectors[0].scale) or list(arrays["strength"]) != strengths:
        return "R or the strengths are others"
    return ""


def _gguf(export: Exported) -> list[Check]:
    problems = lint_control_vector(export.path.read_bytes())
    checks = [_judged("our linter of llama.cpp's rules", problems[0] if problems else "", said="no rule is broken")]
    try:
        from gguf import GGUFReader
    except ImportError:
        return [*checks, Check(READ, "gguf", None, "not verified: the gguf package is not installed")]
    found = {
        int(tensor.name.removeprefix("direction.")): np.array(tensor.data) for tensor in GGUFReader(export.path).tensors
    }
    meant = {block - 1: vector for block, vector in sums_by_block(export.vectors).items()}
    return [*checks, _judged(f"gguf {version('gguf')}", same_arrays(found, meant))]


def _python(export: Exported) -> list[Check]:
    import platform

    try:
        compile(export.path.read_bytes(), str(export.path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return [_judged(f"python {platform.python_version()}", f"it does not compile: {error}")]
    return [_judged(f"python {platform.python_version()}", "", said="it compiles")]


def _lora(export: Exported) -> list[Check]:
    folder: Path = export.path
    tensors = safetensors.numpy.load_file(folder / ADAPTER_WEIGHTS)
    config = orjson.loads((folder / ADAPTER_CONFIG).read_bytes())
    targets = len(config["target_modules"]) + len(config["target_parameters"] or ())
    finite = all(np.isfinite(tensor).all() for tensor in tensors.values())
    wrong = "" if len(tensors) == 2 * targets and finite else "it has not two finite matrices for each target"
    return [_judged(f"safetensors {version('safetensors')}", wrong, said=f"two matrices for each of {targets} weights")]


def _judged(reader: str, wrong: str, said: str = "the values are those that were meant") -> Check:
    return Check(READ, reader, not wrong, wrong or said)
