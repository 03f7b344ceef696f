"""The rack: which features are added or ablated, and how strongly; written as `12:+1.0`, `40:u` or `mean(40,41):v`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from dct_tui.errors import DctError

__all__ = ["AblationKind", "RackEntry", "RackMode", "in_words", "parse_ablate", "parse_entry", "parse_steer"]

RackMode: TypeAlias = Literal["steer", "ablate input", "ablate output"]
AblationKind: TypeAlias = Literal["writes", "stream"]

_WRITTEN = re.compile(r"(?:(?P<one>\d{1,9})|mean\((?P<several>\d{1,9}(?:,\d{1,9})*)\))(?::(?P<rest>.+))?")
_DIRECTIONS: dict[str, RackMode] = {"v": "ablate input", "u": "ablate output"}
_LETTERS = {mode: letter for letter, mode in _DIRECTIONS.items()}


@dataclass(frozen=True, kw_only=True)
class RackEntry:
    """One feature, or the mean of several, and what is done with it.

    Attributes:
        features: their indices; several stand for the mean of their directions.
        mode: `steer` adds strength · R · v; the others project v (input) or u (output) out.
        strength: in units of R, its sign included; of no meaning for an ablation.
        on: whether it is in force.
        kind: of an ablation: out of what attention and MLP write, or out of the whole residual stream.
        layers: of an ablation: the blocks; None for all.
    """

    features: tuple[int, ...]
    mode: RackMode = "steer"
    strength: float = 1.0
    on: bool = True
    kind: AblationKind = "writes"
    layers: tuple[int, ...] | None = None

    def __str__(self) -> str:
        if self.mode == "steer":
            return f"{self.which}:{self.strength:+g}"
        special: list[str] = [self.kind] * (self.kind != "writes")
        if self.layers is not None:
            special.append(f"layers {','.join(map(str, self.layers))}")
        return f"{self.which}:{_LETTERS[self.mode]}" + (f" ({', '.join(special)})" if special else "")

    @property
    def which(self) -> str:
        """The feature's number, or such as `mean(3,4)`."""
        return str(self.features[0]) if len(self.features) == 1 else f"mean({','.join(map(str, self.features))})"

    def check(self, count: int) -> None:
        """Raises DctError where one of them is none of `count` features."""
        if not self.features:
            raise DctError("an entry of the rack names no feature", "take it off the rack")
        for feature in self.features:
            if not 0 <= feature < count:
                raise DctError(f"there is no feature {feature}", f"choose from 0 to {count - 1}")


def in_words(entries: Iterable[RackEntry]) -> str:
    """What is in force, on one line: `12:+1 · 40:u`, or `no feature`."""
    return " · ".join(str(entry) for entry in entries if entry.on) or "no feature"


def parse_steer(text: str) -> RackEntry:
    """`12:+1.0`, `12` (strength 1), `mean(3,4):-0.5`.

    Raises:
        DctError: anything else.
    """
    features, rest = _parse(text, "12:+1.0 or mean(3,4):-0.5")
    try:
        strength = float(rest) if rest is not None else 1.0
    except ValueError:
        raise DctError(f"{rest!r} is not a strength", "write it as in 12:+1.0") from None
    if not abs(strength) < float("inf"):
        raise DctError(f"a strength of {strength} cannot be applied", "write it as in 12:+1.0")
    return RackEntry(features=features, strength=strength)


def parse_ablate(text: str, kind: AblationKind = "writes", layers: tuple[int, ...] | None = None) -> RackEntry:
    """`40:u`, `40:v`, `mean(40,41):v`.

    Raises:
        DctError: anything else.
    """
    features, rest = _parse(text, "40:u or mean(40,41):v")
    if rest not in _DIRECTIONS:
        raise DctError(f"{text!r} does not say which direction to ablate", "write 40:u (output) or 40:v (input)")
    return RackEntry(features=features, mode=_DIRECTIONS[rest], kind=kind, layers=layers)


def parse_entry(text: str) -> RackEntry:
    """Either of the two. Raises DctError."""
    return parse_ablate(text) if text.strip().endswith((":u", ":v")) else parse_steer(text)


def _parse(text: str, example: str) -> tuple[tuple[int, ...], str | None]:
    match = _WRITTEN.fullmatch(text.replace(" ", ""))
    if match is None:
        raise DctError(f"{text!r} names no feature", f"write {example}")
    return tuple(int(number) for number in (match["one"] or match["several"]).split(",")), match["rest"]
