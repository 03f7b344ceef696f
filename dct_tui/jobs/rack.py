"""The rack: which features are added or ablated, written as `12:+1.0`, `40:u` or `mean(40,41):v`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.nn.functional import normalize

from ..errors import DctError
from ..models.interventions import Ablation, AblationKind, Intervention, Steering
from ..transcoder import Transcoder

CHOICE = re.compile(r"(?:(?P<one>\d+)|mean\((?P<several>\d+(?:,\d+)*)\))(?::(?P<rest>.+))?")


@dataclass(frozen=True)
class Choice:
    """One or several features; several stand for the mean of their directions."""

    features: tuple[int, ...]

    def direction(self, columns: Tensor) -> Tensor:
        """Their unit direction, d.

        Raises:
            DctError: no such feature.
        """
        for feature in self.features:
            if feature >= columns.shape[1]:
                raise DctError(f"there is no feature {feature}", f"choose from 0 to {columns.shape[1] - 1}")
        return normalize(columns[:, list(self.features)].mean(dim=1), dim=0)


@dataclass(frozen=True)
class Steer:
    """Adds strength · R · v."""

    choice: Choice
    strength: float

    def intervention(self, transcoder: Transcoder, source: int) -> Intervention:
        """At the layer it was fitted at."""
        return Steering(self.strength * transcoder.config.scale * self.choice.direction(transcoder.V), source)


@dataclass(frozen=True)
class Ablate:
    """Projects an input (`v`) or output (`u`) direction out."""

    choice: Choice
    side: Literal["u", "v"]
    kind: AblationKind = "writes"
    layers: tuple[int, ...] | None = None

    def intervention(self, transcoder: Transcoder, source: int) -> Intervention:
        """At the chosen layers."""
        columns = transcoder.U if self.side == "u" else transcoder.V
        return Ablation(self.choice.direction(columns), self.kind, self.layers)


def parse_steer(text: str) -> Steer:
    """`12:+1.0`, `12` (strength 1), `mean(3,4):-0.5`.

    Raises:
        DctError: anything else.
    """
    choice, rest = _parse(text, "12:+1.0 or mean(3,4):-0.5")
    try:
        strength = float(rest) if rest is not None else 1.0
    except ValueError:
        raise DctError(f"{rest!r} is not a strength", "write --steer 12:+1.0") from None
    if not abs(strength) < float("inf"):
        raise DctError(f"a strength of {strength} cannot be applied", "write --steer 12:+1.0")
    return Steer(choice, strength)


def parse_ablate(text: str, kind: AblationKind = "writes", layers: tuple[int, ...] | None = None) -> Ablate:
    """`40:u`, `40:v`, `mean(40,41):v`.

    Raises:
        DctError: anything else.
    """
    choice, rest = _parse(text, "40:u or mean(40,41):v")
    if rest not in ("u", "v"):
        raise DctError(f"{text!r} does not say which direction to ablate", "write 40:u (output) or 40:v (input)")
    return Ablate(choice, "u" if rest == "u" else "v", kind, layers)


def parse_indices(text: str, count: int, what: str) -> list[int]:
    """`all`, or numbers and ranges such as `0,3,8-12`; below `count`.

    Raises:
        DctError: anything else.
    """
    if text.strip() == "all":
        return list(range(count))
    chosen: list[int] = []
    for piece in text.split(","):
        match = re.fullmatch(r"\s*(\d+)(?:-(\d+))?\s*", piece)
        if match is None:
            raise DctError(f"{piece.strip()!r} is not a {what}", "write numbers such as 1,2 or 8-12, or all")
        first = int(match[1])
        last = int(match[2] or first)
        if last >= count or last < first:
            raise DctError(f"there is no {what} {piece.strip()}", f"choose from 0 to {count - 1}")
        chosen.extend(range(first, last + 1))
    return chosen


def _parse(text: str, example: str) -> tuple[Choice, str | None]:
    match = CHOICE.fullmatch(text.replace(" ", ""))
    if match is None:
        raise DctError(f"{text!r} names no feature", f"write {example}")
    return Choice(tuple(int(number) for number in (match["one"] or match["several"]).split(","))), match["rest"]
