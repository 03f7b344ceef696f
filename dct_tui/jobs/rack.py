"""The rack: which features are added or ablated, written as `12:+1.0`, `40:u` or `mean(40,41):v`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.nn.functional import normalize

from ..errors import DctError
from ..models.interventions import ABLATION_KINDS, Ablation, AblationKind, Intervention, Steering
from ..transcoder import Transcoder

CHOICE = re.compile(r"(?:(?P<one>\d{1,9})|mean\((?P<several>\d{1,9}(?:,\d{1,9})*)\))(?::(?P<rest>.+))?")


@dataclass(frozen=True)
class Choice:
    """One or several features; several stand for the mean of their directions."""

    features: tuple[int, ...]

    def __str__(self) -> str:
        return str(self.features[0]) if len(self.features) == 1 else f"mean({','.join(map(str, self.features))})"

    def check(self, count: int) -> None:
        """Raises DctError where one of them is none of `count` features."""
        for feature in self.features:
            if not 0 <= feature < count:
                raise DctError(f"there is no feature {feature}", f"choose from 0 to {count - 1}")

    def direction(self, columns: Tensor) -> Tensor:
        """Their unit direction, d.

        Raises:
            DctError: no such feature.
        """
        self.check(columns.shape[1])
        return normalize(columns[:, list(self.features)].mean(dim=1), dim=0)


@dataclass(frozen=True)
class Steer:
    """Adds strength · R · v."""

    choice: Choice
    strength: float

    def __str__(self) -> str:
        return f"{self.choice}:{self.strength:+g}"

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

    def __str__(self) -> str:
        where = "all layers" if self.layers is None else f"layers {','.join(map(str, self.layers))}"
        return f"{self.choice}:{self.side} ({self.kind}, {where})"

    def intervention(self, transcoder: Transcoder, source: int) -> Intervention:
        """At the chosen layers."""
        columns = transcoder.U if self.side == "u" else transcoder.V
        return Ablation(self.choice.direction(columns), self.kind, self.layers)


def ablation_kind(text: str) -> AblationKind:
    """`writes` or `stream`.

    Raises:
        DctError: anything else.
    """
    for kind in ABLATION_KINDS:
        if text == kind:
            return kind
    raise DctError(f"there is no ablation {text!r}", f"choose {' or '.join(ABLATION_KINDS)}")


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


def _parse(text: str, example: str) -> tuple[Choice, str | None]:
    match = CHOICE.fullmatch(text.replace(" ", ""))
    if match is None:
        raise DctError(f"{text!r} names no feature", f"write {example}")
    return Choice(tuple(int(number) for number in (match["one"] or match["several"]).split(","))), match["rest"]
