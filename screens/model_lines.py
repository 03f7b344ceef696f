"""The models in the list: what an engine says of each, which of them a filter leaves, and words for sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from dct_tui.models.names import BUILTIN


@dataclass(frozen=True)
class ModelLine:
    """What is known of a model; the fields are those of the engine's `ModelSummary`."""

    name: str
    folder: str = ""
    commit: str | None = None
    model_type: str | None = None
    architecture: str | None = None
    depth: int | None = None
    width: int | None = None
    dtype: str | None = None
    bytes: int = 0
    chat_template: bool = False
    problem: str = ""
    title: str = ""
    parameters: int | None = None
    context: int | None = None
    vocabulary: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    quantised: str | None = None
    modified: float = 0.0

    @property
    def searched(self) -> str:
        """The text in which a filter looks."""
        return " ".join(
            str(x) for x in (self.name, self.model_type, self.architecture, self.dtype, self.quantised) if x
        )


_KNOWN = {field.name for field in fields(ModelLine)}


def line_of(summary: Mapping[str, Any]) -> ModelLine:
    """A model as the engine tells it; what this version does not know is left out."""
    return ModelLine(**{name: value for name, value in summary.items() if name in _KNOWN})


def in_order(lines: Iterable[ModelLine]) -> list[ModelLine]:
    """The built-in one first, then by name; each once."""
    once = {line.name: line for line in lines}
    return sorted(once.values(), key=lambda line: (line.name != BUILTIN, line.name.lower()))


def matching(lines: Sequence[ModelLine], words: str) -> list[ModelLine]:
    """Those that have all the words in them; a word after ! must be missing."""
    asked = words.lower().split()

    def has(line: ModelLine) -> bool:
        text = line.searched.lower()
        return all((word[1:] not in text) if word.startswith("!") and word[1:] else (word in text) for word in asked)

    return [line for line in lines if has(line)]


def count(number: float | None) -> str:
    """A number of parameters as people say it: 2.2M, 7.6B."""
    if number is None:
        return "·"
    for unit, step in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= step * 0.9995:
            value = number / step
            return f"{value:.0f}{unit}" if value >= 99.95 else f"{value:.1f}{unit}"
    return f"{number:.0f}"


def size(bytes: float) -> str:
    """Bytes as people say them."""
    for unit, step in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if bytes >= step:
            return f"{bytes / step:.1f} {unit}"
    return f"{bytes:.0f} B"
