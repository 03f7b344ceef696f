"""The arrays of the safetensors and npz formats: `V`, `U`, `scale`, `strength` and metadata as text.

To steer with column j of `V`, add `strength[j] * scale * V[:, j]` to what enters block `source_block`.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import safetensors.numpy
from numpy.typing import NDArray

from dct_tui.errors import DctError

from .vectors import ExportContext, ExportVector, columns, metadata

__all__ = ["npz_bytes", "safetensors_bytes"]


def safetensors_bytes(vectors: Sequence[ExportVector], context: ExportContext) -> bytes:
    """A safetensors file: float32 `V` and `U` (d × k; the one that is not known is left out), `scale`, `strength`.

    Raises:
        DctError: vectors that do not belong in one file.
    """
    return safetensors.numpy.save(_arrays(vectors), metadata(vectors, context))


def npz_bytes(vectors: Sequence[ExportVector], context: ExportContext) -> bytes:
    """An npz archive of the same arrays, and `metadata` as one text of JSON; opens without unpickling.

    Raises:
        DctError: vectors that do not belong in one file.
    """
    text = orjson.dumps(metadata(vectors, context)).decode()
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, metadata=np.array(text), **_arrays(vectors))
    return buffer.getvalue()


def _arrays(vectors: Sequence[ExportVector]) -> dict[str, NDArray[Any]]:
    found = {"V": columns(vectors, "input"), "U": columns(vectors, "output")}
    arrays: dict[str, NDArray[Any]] = {name: array for name, array in found.items() if array is not None}
    if not arrays:
        raise DctError("input and output directions are mixed", "export them to files of their own")
    arrays["scale"] = np.asarray(vectors[0].scale, np.float32)
    arrays["strength"] = np.asarray([vector.strength for vector in vectors], np.float32)
    return arrays
