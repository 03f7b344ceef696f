"""The ways of finding vectors that are compared: each gives as many, in the order in which a person would read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from benchmarks.organisms.subjects import FIT_PROMPTS, Subject
from benchmarks.published import calibrate_published, fit_published, published_order
from dct_tui.models.slice_delta import SliceDelta
from dct_tui.transcoder import (
    FitConfig,
    Method,
    Orthogonalisation,
    Products,
    Transcoder,
    by_distinctness,
    by_strength,
    calibrate,
    fit,
)
from dct_tui.transcoder.config import DEFAULT_RADII
from dct_tui.transcoder.orthogonal import random_directions

VECTORS = 64
ITERATIONS = 10


@dataclass(frozen=True)
class Vectors:
    """What a way of fitting gives.

    Attributes:
        rows: unit vectors to add, first to read first; vectors × d.
        scale: R, their norm at strength 1.
        layer: where they are added.
        evaluated: rows of Δ that were evaluated (with their gradients, where those were needed) to get them;
            calibration is not counted.
    """

    rows: Tensor
    scale: float
    layer: int
    evaluated: int


class Bench:
    """A slice of a subject over its first untriggered fit prompts, and what every way of fitting shares there."""

    def __init__(self, subject: Subject, source: int | None = None, prompts: int = len(FIT_PROMPTS)) -> None:
        self.subject = subject
        self.layers = subject.layers(source)
        self.prompts = FIT_PROMPTS[:prompts]
        self.delta = SliceDelta(subject.lm, subject.ids(self.prompts), self.layers)

    @cached_property
    def scale(self) -> float:
        """R as the program calibrates it."""
        return calibrate(Products(self.delta), reference=self.delta.reference_norm).scale

    def vectors(self, way: str, seed: int) -> Vectors | None:
        """Runs a way of fitting; None where it cannot be run here."""
        return WAYS[way](self, seed)


def _fitted(
    method: Method,
    *,
    kind: Orthogonalisation = "polar",
    signed: bool = False,
    radii: tuple[float, ...] = DEFAULT_RADII,
    order: Callable[[Transcoder], list[int]] = by_distinctness,
) -> Callable[[Bench, int], Vectors]:
    """One of the program's methods. Where signs are free half as many directions are fitted, and each is read ±."""

    def run(bench: Bench, seed: int) -> Vectors:
        delta = bench.delta
        if method == "quadratic":
            # A pad attends to nothing, and the second derivative of a softmax over nothing is NaN.
            lm = replace(bench.subject.lm, pads=False)
            delta = SliceDelta(lm, bench.subject.ids(bench.prompts), bench.layers)
        factors = VECTORS // 2 if signed else VECTORS
        config = FitConfig(
            scale=bench.scale, method=method, factors=factors, iterations=ITERATIONS, orthogonalisation=kind,
            seed=seed, radii=radii,
        )  # fmt: skip
        counted = _Counter()
        delta.on_rows = counted
        transcoder = fit(delta, config)
        delta.on_rows = None
        ordered = transcoder.V.T[order(transcoder)]
        return Vectors(_both_signs(ordered) if signed else ordered, bench.scale, bench.layers.source, counted.rows)

    return run


class _Counter:
    def __init__(self) -> None:
        self.rows = 0

    def __call__(self, rows: int) -> None:
        self.rows += rows


def _both_signs(directions: Tensor) -> Tensor:
    """v₁, −v₁, v₂, −v₂, …"""
    return torch.stack([directions, -directions], dim=1).flatten(0, 1)


def _random(bench: Bench, seed: int) -> Vectors:
    drawn = random_directions(bench.subject.lm.width, VECTORS, torch.Generator().manual_seed(seed), torch.float32)
    return Vectors(drawn.T, bench.scale, bench.layers.source, 0)


def _principal(bench: Bench, seed: int) -> Vectors:
    """Top principal directions of h_s over the prompts' tokens, each prompt's first left out."""
    with torch.no_grad():
        states = [
            bench.subject.lm.model(
                input_ids=torch.tensor([ids]), output_hidden_states=True, use_cache=False
            ).hidden_states[bench.layers.source][0, 1:]
            for ids in bench.subject.ids(bench.prompts)
        ]
    tokens = torch.cat(states)
    directions = torch.linalg.svd(tokens - tokens.mean(0), full_matrices=False).Vh[: VECTORS // 2]
    return Vectors(_both_signs(directions), bench.scale, bench.layers.source, len(bench.prompts))


def _published(*, own_scale: bool, one_block_later: bool = False) -> Callable[[Bench, int], Vectors | None]:
    """The published algorithm in its own order, at our R or at its own, added where it was trained or a block later."""

    def run(bench: Bench, seed: int) -> Vectors | None:
        products = Products(bench.delta)
        scale = calibrate_published(Products(bench.delta), seed) if own_scale else bench.scale
        if scale is None:
            return None
        V, U = fit_published(products, factors=VECTORS, iterations=ITERATIONS, scale=scale, seed=seed)
        ordered = V.T[published_order(products, V, U, scale)]
        return Vectors(ordered, scale, bench.layers.source + one_block_later, products.rows_done)

    return run


DEFAULT = "exponential"
AS_PUBLISHED = ("published, own R", "published, own R, a block later")
RANDOM = "random"

WAYS: dict[str, Callable[[Bench, int], Vectors | None]] = {
    RANDOM: _random,
    "principal ±": _principal,
    "linear ±": _fitted("linear", signed=True),
    "projected ±": _fitted("projected", signed=True),
    "quadratic ±": _fitted("quadratic", signed=True),
    "melbo": _fitted("melbo"),
    DEFAULT: _fitted("exponential"),
    "exponential, by α²": _fitted("exponential", order=by_strength),
    "exponential, one radius": _fitted("exponential", radii=(1.0,)),
    "exponential, one radius, by α²": _fitted("exponential", radii=(1.0,), order=by_strength),
    "exponential, QR": _fitted("exponential", kind="qr"),
    "exponential, soft": _fitted("exponential", kind="soft"),
    "published": _published(own_scale=False),
    AS_PUBLISHED[0]: _published(own_scale=True),
    AS_PUBLISHED[1]: _published(own_scale=True, one_block_later=True),
}
"""Name to way. Where two signs are read (±), half as many directions are fitted: all are read equally often."""

PLAIN_WAYS = (DEFAULT, "published", *AS_PUBLISHED, RANDOM)
"""What the short run compares."""
