"""Reading GGUF files of any origin: their keys, and where their tensors are. Nothing of them is believed."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field

from .gguf_file import ALIGNMENT, MAGIC, TYPE_STRING, TYPE_UINT32, padding

__all__ = ["CutError", "GgufContents", "GgufTensor", "parse_gguf"]

_TYPE_ARRAY = 9
# Size in bytes by GGUF value type; strings (8) and arrays (9) carry their own length.
_TYPE_SIZE = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_MAX_NAME = 64
_MAX_DIMENSIONS = 4


class CutError(Exception):
    """The file ends before what it announces, or announces what cannot be."""


@dataclass
class GgufTensor:
    """Where a tensor is: its offset is from `data_start`."""

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int

    @property
    def size(self) -> int:
        """How many values it has."""
        return math.prod(self.shape)


@dataclass
class GgufContents:
    """Keys (value type and bytes; empty for arrays) and tensors."""

    keys: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    tensors: list[GgufTensor] = field(default_factory=list)
    data_start: int = 0
    alignment: int = ALIGNMENT


def parse_gguf(data: bytes) -> GgufContents:
    """The header of a file.

    Raises:
        CutError: it is no GGUF file, ends too early, or announces what cannot be.
    """
    if data[:4] != MAGIC:
        raise CutError("it does not begin with GGUF")
    cursor = _Cursor(data, 4)
    version = cursor.number("<I")
    if version not in (2, 3):
        raise CutError(f"it is GGUF version {version}; 2 and 3 are read")
    tensor_count, key_count = cursor.number("<q"), cursor.number("<q")
    if tensor_count < 0 or key_count < 0:
        raise CutError("a count of tensors or keys is negative")
    contents = GgufContents()
    for _ in range(key_count):
        key = cursor.text()
        if not key or key in contents.keys:
            raise CutError(f"the key {key[:40]!r} is there twice" if key else "a key is empty")
        contents.keys[key] = cursor.value()
    _take_alignment(contents)
    names: set[str] = set()
    for _ in range(tensor_count):
        tensor = cursor.tensor()
        if tensor.name in names:
            raise CutError(f"the tensor {tensor.name[:40]!r} is there twice")
        names.add(tensor.name)
        contents.tensors.append(tensor)
    contents.data_start = cursor.at + padding(cursor.at, contents.alignment)
    return contents


def _take_alignment(contents: GgufContents) -> None:
    kind, value = contents.keys.get("general.alignment", (TYPE_UINT32, struct.pack("<I", ALIGNMENT)))
    alignment = int.from_bytes(value, "little") if kind == TYPE_UINT32 else 0
    if alignment == 0 or alignment & (alignment - 1):
        raise CutError("general.alignment is no power of 2 as u32")
    contents.alignment = alignment


@dataclass
class _Cursor:
    data: bytes
    at: int

    def take(self, length: int) -> bytes:
        if length < 0 or length > len(self.data) - self.at:
            raise CutError("the file ends in the middle of its header")
        self.at += length
        return self.data[self.at - length : self.at]

    def number(self, layout: str) -> int:
        return int(struct.unpack(layout, self.take(struct.calcsize(layout)))[0])

    def text(self) -> str:
        return self.take(self.number("<Q")).decode(errors="replace")

    def value(self) -> tuple[int, bytes]:
        kind = self.number("<I")
        if kind == TYPE_STRING:
            return kind, self.take(self.number("<Q"))
        if kind == _TYPE_ARRAY:
            element, count = self.number("<I"), self.number("<Q")
            if element == TYPE_STRING:
                for _ in range(count):
                    self.take(self.number("<Q"))
            elif element in _TYPE_SIZE:
                self.take(_TYPE_SIZE[element] * count)
            else:
                raise CutError(f"an array has value type {element}")
            return kind, b""
        if kind not in _TYPE_SIZE:
            raise CutError(f"a key has value type {kind}")
        return kind, self.take(_TYPE_SIZE[kind])

    def tensor(self) -> GgufTensor:
        name = self.text()
        if len(name.encode()) >= _MAX_NAME:
            raise CutError(f"the name of a tensor has {len(name.encode())} bytes; at most {_MAX_NAME - 1} are read")
        dimensions = self.number("<I")
        if dimensions > _MAX_DIMENSIONS:
            raise CutError(f"{name!r} has {dimensions} dimensions")
        shape = tuple(self.number("<q") for _ in range(dimensions))
        if any(length < 0 for length in shape):
            raise CutError(f"{name!r} has a negative size")
        return GgufTensor(name, shape, self.number("<I"), self.number("<Q"))
