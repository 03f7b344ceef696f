"""GGUF control vectors, as llama.cpp, repeng and EasySteer read them.

`direction.N` is added to the output of block N (0-based), which is the input of block N+1; so a vector for the
input of block s is `direction.{s-1}`. The format has no `direction.0`, and nothing in it can be anything but added.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dct_tui.errors import DctError

from .gguf_file import gguf_bytes
from .gguf_lint import lint_control_vector
from .vectors import ExportContext, ExportVector, Float32, require_added

__all__ = ["control_vector_bytes"]


def control_vector_bytes(vectors: Sequence[ExportVector], context: ExportContext, *, sparse: bool = False) -> bytes:
    """A control vector that, at strength 1.0, adds the sum of `vectors`, each with its own R and strength.

    Layers without a vector are written as zeros, for repeng raises KeyError on a missing one; `sparse` leaves
    them out.

    Raises:
        DctError: a direction to ablate, a vector for the input of block 0 or 1 or of a block the model lacks, or
            one that is not of the model's width.
    """
    directions: dict[int, Float32] = {}
    if not sparse:
        directions = {n: np.zeros(context.width, np.float32) for n in range(1, context.depth)}
    for vector in vectors:
        _require_addable(vector, context)
        n = vector.source - 1
        sum_so_far = directions.get(n)
        with np.errstate(over="ignore"):  # A sum that is not finite is refused below.
            directions[n] = vector.steering if sum_so_far is None else sum_so_far + vector.steering
    data = gguf_bytes(
        {
            "general.architecture": "controlvector",
            "general.name": f"{context.name}: {', '.join(vector.name for vector in vectors)}",
            "controlvector.model_hint": context.model_type,
            "controlvector.layer_count": len(directions),
        },
        {f"direction.{n}": directions[n] for n in sorted(directions)},
    )
    if problems := lint_control_vector(data):
        raise DctError(f"the control vector would be refused: {problems[0]}")
    return data


def _require_addable(vector: ExportVector, context: ExportContext) -> None:
    require_added(vector, context, "a GGUF control vector")
    if vector.source < 2:
        raise DctError(
            f"{vector.name} enters block {vector.source}, and a GGUF control vector has no place before block 2",
            "export it as safetensors or npz, or fit from a source layer of at least 2",
        )
