"""The GGUF container (version 3, little-endian): just enough of it to write metadata and float32 vectors."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ALIGNMENT",
    "MAGIC",
    "TENSOR_F32",
    "TYPE_STRING",
    "TYPE_UINT32",
    "VERSION",
    "gguf_bytes",
    "padding",
]

MAGIC = b"GGUF"
VERSION = 3
ALIGNMENT = 32
TYPE_UINT32 = 4
TYPE_STRING = 8
TENSOR_F32 = 0


def gguf_bytes(metadata: Mapping[str, str | int], vectors: Mapping[str, NDArray[np.float32]]) -> bytes:
    """A GGUF file of `metadata` (text, or a whole number as u32) and 1-D float32 tensors, in the order given."""
    head = [MAGIC, struct.pack("<IQQ", VERSION, len(vectors), len(metadata))]
    for key, value in metadata.items():
        head.append(_string(key))
        if isinstance(value, str):
            head += [struct.pack("<I", TYPE_STRING), _string(value)]
        else:
            head.append(struct.pack("<II", TYPE_UINT32, value))
    offset = 0
    for name, vector in vectors.items():
        head += [_string(name), struct.pack("<IQIQ", 1, vector.size, TENSOR_F32, offset)]
        offset += 4 * vector.size + padding(4 * vector.size)
    start = b"".join(head)
    body = [start, bytes(padding(len(start)))]
    for vector in vectors.values():
        data = np.ascontiguousarray(vector, "<f4").tobytes()
        # Readers take the last tensor with its padding too: without it the file is too short for them.
        body += [data, bytes(padding(len(data)))]
    return b"".join(body)


def padding(length: int, alignment: int = ALIGNMENT) -> int:
    """The number of bytes from `length` to the next multiple of `alignment`."""
    return -length % alignment


def _string(text: str) -> bytes:
    data = text.encode(errors="replace")  # A session's folder may have a name that is not Unicode.
    return struct.pack("<Q", len(data)) + data
