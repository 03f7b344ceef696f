"""What the weight files of a folder say of themselves: read off their headers, no weight touched."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import orjson

INDEX, SINGLE = "model.safetensors.index.json", "model.safetensors"
LONGEST_HEADER = 100_000_000  # as the format has it
NUMBER = re.compile(r"(?:^|\.)(\d+)\.")
DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
BITS = {
    "F64": 64, "F32": 32, "F16": 16, "BF16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F4": 4, "C64": 64,
    "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U64": 64, "U32": 32, "U16": 16, "U8": 8, "BOOL": 8,
}  # fmt: skip
"""Of an element; of types that are not here, at least one."""
# Beside packed weights lie what unpacks them: no parameters of the model.
UNPACKERS = ("qzeros", "g_idx", "absmax", "quant_map", "quant_state", "_scale", "_scales", "scales", "scale_inv", "SCB")


@dataclass(frozen=True)
class Stored:
    """One tensor in a file."""

    name: str
    dtype: str
    """As the format writes it: `BF16`, `I32`."""
    elements: int
    bytes: int


@dataclass(frozen=True)
class Checkpoint:
    """The weights of a folder.

    Attributes:
        tensors: all that are stored.
        bytes: of the files.
        files: how many.
        problem: why they cannot be read, as far as headers tell; empty where all is well.
    """

    tensors: tuple[Stored, ...]
    bytes: int
    files: int
    problem: str = ""

    @property
    def dtypes(self) -> tuple[str, ...]:
        """Names as torch has them, the one with most bytes first."""
        sizes: Counter[str] = Counter()
        for tensor in self.tensors:
            sizes[tensor.dtype] += tensor.bytes
        return tuple(DTYPES.get(name, name.lower()) for name, _ in sizes.most_common())

    def parameters(self, packed_bits: int | None = None) -> int:
        """How many weights there are. Where they are packed, `packed_bits` says in how many bits each."""
        return sum(weights_in(tensor, packed_bits) for tensor in self.tensors)

    def block_tensors(self, depth: int) -> dict[int, list[Stored]]:
        """The tensors of each of `depth` blocks, by block; empty where names do not tell.

        Blocks are numbered in names, all under one prefix; of several stacks of that depth the largest is meant.
        """
        stacks: dict[str, dict[int, list[Stored]]] = {}
        for tensor in self.tensors:
            if found := NUMBER.search(tensor.name):
                stack = stacks.setdefault(tensor.name[: found.start()], {})
                stack.setdefault(int(found[1]), []).append(tensor)
        # A stack may have blocks beyond the depth: some predict further tokens, and are not run.
        whole = [stack for stack in stacks.values() if set(range(depth)) <= set(stack)]
        largest = max(whole, key=lambda s: sum(t.bytes for block in s.values() for t in block), default={})
        return {block: tensors for block, tensors in largest.items() if block < depth}


def weights_in(tensor: Stored, packed_bits: int | None = None) -> int:
    """How many weights a tensor holds; packed ones are stored in integers."""
    if packed_bits is None:
        return tensor.elements
    if tensor.name.endswith(UNPACKERS) or ".quant_state" in tensor.name:
        return 0
    width = {"I32": 32, "U8": 8, "I8": 8}.get(tensor.dtype)
    return tensor.elements * width // packed_bits if width else tensor.elements


def read_checkpoint(folder: Path) -> Checkpoint:
    """Reads the headers of a folder's safetensors files."""
    try:
        paths = _paths(folder)
    except (OSError, ValueError, AttributeError):
        return Checkpoint((), 0, 0, f"{INDEX} is damaged")
    if not paths:
        pickled = sum(path.stat().st_size for path in folder.glob("*.bin") if path.is_file())
        return Checkpoint((), pickled, 0, "only pickled weights (.bin)" if pickled else "no safetensors weights")
    tensors: list[Stored] = []
    size, problem = 0, ""
    for path in paths:
        try:
            size += path.stat().st_size
            tensors += _header(path)
        except FileNotFoundError:
            problem = problem or f"{path.name} is missing"
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            problem = problem or f"{path.name} {error if isinstance(error, _CutShortError) else 'is damaged'}"
    return Checkpoint(tuple(tensors), size, len(paths), problem)


class _CutShortError(ValueError):
    pass


def _paths(folder: Path) -> list[Path]:
    """The files that transformers would read: some folders hold the weights a second time under other names."""
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    if (folder / INDEX).is_file():
        shards = orjson.loads((folder / INDEX).read_bytes())["weight_map"].values()
        return [folder / Path(str(name)).name for name in sorted(set(shards))]
    return sorted(folder.glob("*.safetensors"))


def _header(path: Path) -> Iterator[Stored]:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 0 < length <= LONGEST_HEADER:
            raise ValueError(length)
        header: dict[str, Any] = orjson.loads(file.read(length))
    header.pop("__metadata__", None)
    end = max((int(entry["data_offsets"][1]) for entry in header.values()), default=0)
    if path.stat().st_size < 8 + length + end:
        raise _CutShortError("is cut short")
    for name, entry in header.items():
        start, stop = map(int, entry["data_offsets"])
        elements, dtype = prod(map(int, entry["shape"])), str(entry["dtype"])
        # Sizes that a file makes up would be counted, shown and reckoned with.
        bits, bits_there = BITS.get(dtype), 8 * (stop - start)
        if elements * bits != bits_there if bits else not 0 <= elements <= bits_there:
            raise ValueError(name)
        yield Stored(name, dtype, elements, stop - start)
