"""Calibrating the input scale R: how far one can push before Δ is no longer nearly linear."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch

from .delta import NotFiniteError
from .orthogonal import random_directions
from .products import Products

TARGET_RATIO = 0.5
DIRECTIONS = 30
BISECTIONS = 12
WIDEST = 2.0**24
RELATIVE_GRID = (0.0125, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0)
MOST_ROWS = DIRECTIONS * (1 + len(RELATIVE_GRID) + BISECTIONS)
"""Rows that a calibration within the stream's norm evaluates at most."""


@dataclass(frozen=True)
class Calibration:
    """The scale that was found, and how.

    Attributes:
        scale: R.
        kind: `solved`: the ratio rises through its target there; `fallback`: it does so nowhere within the norm
            of the residual stream, and R is a fixed fraction of that norm; `unbounded`: it does so nowhere, and
            no norm was given to fall back on, so R is 1.
        curve: (R, ratio) pairs that were evaluated, R ascending; infinite where Δ overflows or J is zero.
        reference: median norm of the residual stream, where one was given.
    """

    scale: float
    kind: Literal["solved", "fallback", "unbounded"]
    curve: tuple[tuple[float, float], ...]
    reference: float | None = None


def calibrate(
    products: Products,
    *,
    reference: float | None = None,
    fallback: float = 0.45,
    target: float = TARGET_RATIO,
    directions: int = DIRECTIONS,
    seed: int = 0,
) -> Calibration:
    """Solves √mean_v(‖Δ(Rv) − R J v‖² / ‖R J v‖²) = target for R over random unit v.

    Args:
        products: of the Δ.
        reference: median ‖h_s‖. With it the search stays between 1/80 and 1 of it, and takes the first rise
            through the target: near the lower end the ratio may be rounding, which falls with R; beyond the
            upper, the model is broken whatever the ratio says.
        fallback: share of `reference` taken where the ratio does not reach its target in that window.
        target: λ.
        directions: number of random v.
        seed: of their drawing.

    Raises:
        NotFiniteError: a Δ whose derivative at 0 is not finite.
    """
    delta = products.delta
    generator = torch.Generator().manual_seed(seed)
    v = random_directions(delta.d_in, directions, generator, delta.dtype).to(delta.device).T
    image = products.pushforward(v)
    if not bool(image.isfinite().all()):
        raise NotFiniteError("NaN or infinity in the derivative at 0: the model overflows, or its weights are damaged")
    curve: dict[float, float] = {}

    def ratio(scale: float) -> float:
        if scale not in curve:
            residual = products.values(scale * v) - scale * image
            shares = residual.norm(dim=1).double() / (scale * image.norm(dim=1).double())
            share = math.sqrt(float(shares.square().mean()))
            curve[scale] = share if math.isfinite(share) else math.inf
        return curve[scale]

    grid = [reference * share for share in RELATIVE_GRID] if reference else None
    bracket = _first_crossing(ratio, grid, target) if grid else _expand(ratio, target)

    def found(scale: float, kind: Literal["solved", "fallback", "unbounded"]) -> Calibration:
        return Calibration(scale, kind, tuple(sorted(curve.items())), reference)

    if bracket is not None:
        return found(_bisect(ratio, bracket, target), "solved")
    return found(fallback * reference, "fallback") if reference else found(1.0, "unbounded")


def _first_crossing(ratio: Callable[[float], float], grid: list[float], target: float) -> tuple[float, float] | None:
    """The first step of the grid in which the ratio rises through its target."""
    for low, high in pairwise(grid):
        if ratio(low) < target <= ratio(high):
            return low, high
    return None


def _expand(ratio: Callable[[float], float], target: float) -> tuple[float, float] | None:
    """A bracket found by doubling or halving from 1; None where the ratio stays on one side."""
    low = high = 1.0
    while ratio(high) < target:
        low, high = high, high * 2
        if high > WIDEST:
            return None
    while ratio(low) >= target:
        low, high = low / 2, low
        if low < 1 / WIDEST:
            return None
    return low, high


def _bisect(ratio: Callable[[float], float], bracket: tuple[float, float], target: float) -> float:
    """The R between the bracket's ends at which the ratio is the target, by bisection on log R."""
    low, high = bracket
    for _ in range(BISECTIONS):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if ratio(middle) < target else (low, middle)
    return math.sqrt(low * high)
