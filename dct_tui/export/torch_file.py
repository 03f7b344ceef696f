"""The container that `torch.load(…, weights_only=True)` reads: just enough of it for tensors, text and numbers.

It is a zip of a pickle and of raw bytes. The pickle names what torch needs to make tensors, and nothing else.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Savable", "torch_file_bytes"]

Savable: TypeAlias = Mapping[Any, Any] | NDArray[np.float32] | str | int
_FOLDER = "archive"
_THE_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # The same bytes for the same tensors, whenever they are written.


def torch_file_bytes(content: Savable) -> bytes:
    """A file of `content`: dictionaries (keys are text or whole numbers), float32 arrays, text and whole numbers."""
    storages: list[NDArray[np.float32]] = []
    pickle = b"\x80\x02" + _pickled(content, storages) + b"."
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:

        def put(name: str, data: bytes) -> None:
            archive.writestr(zipfile.ZipInfo(f"{_FOLDER}/{name}", _THE_FIRST_DAY), data)

        put("data.pkl", pickle)
        put("byteorder", b"little")
        for number, array in enumerate(storages):
            put(f"data/{number}", np.ascontiguousarray(array, "<f4").tobytes())
        put("version", b"3\n")
    return buffer.getvalue()


def _pickled(value: Savable, storages: list[NDArray[np.float32]]) -> bytes:
    if isinstance(value, Mapping):
        items = b"".join(_pickled(part, storages) for item in value.items() for part in item)
        return b"}(" + items + b"u"
    if isinstance(value, str):
        data = value.encode(errors="replace")  # A session's folder may have a name that is not Unicode.
        return b"X" + struct.pack("<I", len(data)) + data
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    return _tensor(value, storages)


def _tensor(array: NDArray[np.float32], storages: list[NDArray[np.float32]]) -> bytes:
    """torch._utils._rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)."""
    storages.append(array)
    strides = [stride // 4 for stride in np.ascontiguousarray(array).strides]
    storage = (
        b"("
        + _pickled("storage", storages)
        + b"ctorch\nFloatStorage\n"
        + _pickled(str(len(storages) - 1), storages)
        + _pickled("cpu", storages)
        + _pickled(int(array.size), storages)
        + b"tQ"
    )
    shape, steps = (
        b"(" + b"".join(_pickled(int(n), storages) for n in sizes) + b"t" for sizes in (array.shape, strides)
    )
    hooks = b"ccollections\nOrderedDict\n)R"
    rebuild = b"ctorch._utils\n_rebuild_tensor_v2\n("
    return rebuild + storage + _pickled(0, storages) + shape + steps + b"\x89" + hooks + b"tR"
