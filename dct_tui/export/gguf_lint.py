"""Every rule by which llama.cpp refuses a control vector, and those by which repeng does."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from .gguf_file import ALIGNMENT, MAGIC, TENSOR_F32, TYPE_STRING, TYPE_UINT32, padding

__all__ = ["lint_control_vector"]

_TYPE_ARRAY = 9
# Size in bytes by GGUF value type; strings (8) and arrays (9) carry their own length.
_TYPE_SIZE = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_MAX_NAME = 64
_MAX_DIMENSIONS = 4
# llama.cpp reads the number after the dot as C does: blanks and a sign before, anything after.
_DIRECTION = re.compile(r"direction\.[ \t\n\v\f\r]*([+-]?\d+)")
_STRICT_DIRECTION = re.compile(r"direction\.[1-9]\d*")


class _CutError(Exception):
    """The file ends before what it announces, or announces what cannot be."""


@dataclass
class _Tensor:
    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int

    @property
    def size(self) -> int:
        return math.prod(self.shape)


@dataclass
class _Contents:
    keys: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    tensors: list[_Tensor] = field(default_factory=list)
    data_start: int = 0
    alignment: int = ALIGNMENT


def lint_control_vector(data: bytes) -> list[str]:
    """What is wrong with the bytes of a GGUF control vector, one line each; empty where every reader takes it."""
    try:
        contents = _parse(data)
    except _CutError as error:
        return [str(error)]
    return [*_key_problems(contents), *_tensor_problems(contents, data)]


def _key_problems(contents: _Contents) -> Iterator[str]:
    for key, kind, name in (
        ("general.architecture", TYPE_STRING, "text"),
        ("controlvector.model_hint", TYPE_STRING, "text"),
        ("controlvector.layer_count", TYPE_UINT32, "u32"),
    ):
        if key not in contents.keys:
            yield f"the key {key} is missing"
        elif contents.keys[key][0] != kind:
            yield f"the key {key} is not {name}"
    kind_and_value = contents.keys.get("general.architecture")
    if kind_and_value and kind_and_value != (TYPE_STRING, b"controlvector"):
        yield f"general.architecture is {kind_and_value[1][:40]!r}, not 'controlvector'"
    if not contents.keys.get("controlvector.model_hint", (0, b"-"))[1]:
        yield "controlvector.model_hint is empty"


def _tensor_problems(contents: _Contents, data: bytes) -> Iterator[str]:
    tensors = contents.tensors
    if not tensors:
        yield "there is no direction tensor"
    for tensor in tensors:
        found = _DIRECTION.match(tensor.name)
        if not found:
            yield f"{tensor.name[:40]!r} is no direction tensor"
        elif int(found[1]) < 1:
            yield f"{tensor.name} has layer {int(found[1])}: the first is 1"
        elif not _STRICT_DIRECTION.fullmatch(tensor.name):
            yield f"{tensor.name!r} is not written as direction.N"
        if tensor.kind != TENSOR_F32:
            yield f"{tensor.name} has tensor type {tensor.kind}, not F32"
        elif len(tensor.shape) != 1:
            yield f"{tensor.name} has {len(tensor.shape)} dimensions, not 1"
        elif tensor.size == 0:
            yield f"{tensor.name} is empty"
        elif tensor.size != tensors[0].size:
            yield f"{tensor.name} has {tensor.size} values, {tensors[0].name} has {tensors[0].size}"
        else:
            yield from _value_problems(tensor, contents, data)
    if all(tensor.kind == TENSOR_F32 for tensor in tensors):
        yield from _place_problems(contents, data)


def _value_problems(tensor: _Tensor, contents: _Contents, data: bytes) -> Iterator[str]:
    start = contents.data_start + tensor.offset
    if start + 4 * tensor.size > len(data):
        yield f"{tensor.name} lies beyond the end of the file"
    elif not np.isfinite(np.frombuffer(data, "<f4", tensor.size, start)).all():
        yield f"{tensor.name} has values that are not finite"


def _place_problems(contents: _Contents, data: bytes) -> Iterator[str]:
    expected = 0
    for tensor in contents.tensors:
        if tensor.offset != expected:
            yield f"{tensor.name} is at offset {tensor.offset}, expected {expected}"
            return
        length = 4 * tensor.size
        expected += length + padding(length, contents.alignment)
    if contents.data_start + expected > len(data):
        yield f"the file ends before its data does: {len(data)} of {contents.data_start + expected} bytes"


def _parse(data: bytes) -> _Contents:
    if data[:4] != MAGIC:
        raise _CutError("it does not begin with GGUF")
    cursor = _Cursor(data, 4)
    version = cursor.number("<I")
    if version not in (2, 3):
        raise _CutError(f"it is GGUF version {version}; 2 and 3 are read")
    tensor_count, key_count = cursor.number("<q"), cursor.number("<q")
    if tensor_count < 0 or key_count < 0:
        raise _CutError("a count of tensors or keys is negative")
    contents = _Contents()
    for _ in range(key_count):
        key = cursor.text()
        if not key or key in contents.keys:
            raise _CutError(f"the key {key[:40]!r} is there twice" if key else "a key is empty")
        contents.keys[key] = cursor.value()
    _take_alignment(contents)
    names: set[str] = set()
    for _ in range(tensor_count):
        tensor = cursor.tensor()
        if tensor.name in names:
            raise _CutError(f"the tensor {tensor.name[:40]!r} is there twice")
        names.add(tensor.name)
        contents.tensors.append(tensor)
    contents.data_start = cursor.at + padding(cursor.at, contents.alignment)
    return contents


def _take_alignment(contents: _Contents) -> None:
    kind, value = contents.keys.get("general.alignment", (TYPE_UINT32, struct.pack("<I", ALIGNMENT)))
    alignment = int.from_bytes(value, "little") if kind == TYPE_UINT32 else 0
    if alignment == 0 or alignment & (alignment - 1):
        raise _CutError("general.alignment is no power of 2 as u32")
    contents.alignment = alignment


@dataclass
class _Cursor:
    data: bytes
    at: int

    def take(self, length: int) -> bytes:
        if length < 0 or length > len(self.data) - self.at:
            raise _CutError("the file ends in the middle of its header")
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
                raise _CutError(f"an array has value type {element}")
            return kind, b""
        if kind not in _TYPE_SIZE:
            raise _CutError(f"a key has value type {kind}")
        return kind, self.take(_TYPE_SIZE[kind])

    def tensor(self) -> _Tensor:
        name = self.text()
        if len(name.encode()) >= _MAX_NAME:
            raise _CutError(f"the name of a tensor has {len(name.encode())} bytes; at most {_MAX_NAME - 1} are read")
        dimensions = self.number("<I")
        if dimensions > _MAX_DIMENSIONS:
            raise _CutError(f"{name!r} has {dimensions} dimensions")
        shape = tuple(self.number("<q") for _ in range(dimensions))
        if any(length < 0 for length in shape):
            raise _CutError(f"{name!r} has a negative size")
        return _Tensor(name, shape, self.number("<I"), self.number("<Q"))
