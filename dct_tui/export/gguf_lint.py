"""Every rule by which llama.cpp refuses a control vector, and those by which repeng does."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from .gguf_file import TENSOR_F32, TYPE_STRING, TYPE_UINT32, padding
from .gguf_read import CutError, GgufContents, GgufTensor, parse_gguf

__all__ = ["lint_control_vector"]

# llama.cpp reads the number after the dot as C does: blanks and a sign before, anything after.
_DIRECTION = re.compile(r"direction\.[ \t\n\v\f\r]*([+-]?\d+)")
_STRICT_DIRECTION = re.compile(r"direction\.[1-9]\d*")


def lint_control_vector(data: bytes) -> list[str]:
    """What is wrong with the bytes of a GGUF control vector, one line each; empty where every reader takes it."""
    try:
        contents = parse_gguf(data)
    except CutError as error:
        return [str(error)]
    return [*_key_problems(contents), *_tensor_problems(contents, data)]


def _key_problems(contents: GgufContents) -> Iterator[str]:
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


def _tensor_problems(contents: GgufContents, data: bytes) -> Iterator[str]:
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


def _value_problems(tensor: GgufTensor, contents: GgufContents, data: bytes) -> Iterator[str]:
    start = contents.data_start + tensor.offset
    if start + 4 * tensor.size > len(data):
        yield f"{tensor.name} lies beyond the end of the file"
    elif not np.isfinite(np.frombuffer(data, "<f4", tensor.size, start)).all():
        yield f"{tensor.name} has values that are not finite"


def _place_problems(contents: GgufContents, data: bytes) -> Iterator[str]:
    expected = 0
    for tensor in contents.tensors:
        if tensor.offset != expected:
            yield f"{tensor.name} is at offset {tensor.offset}, expected {expected}"
            return
        length = 4 * tensor.size
        expected += length + padding(length, contents.alignment)
    if contents.data_start + expected > len(data):
        yield f"the file ends before its data does: {len(data)} of {contents.data_start + expected} bytes"
