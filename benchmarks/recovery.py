"""Planted factors: how many of the true factors of a known Δ each way of fitting finds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from statistics import mean

from torch import Tensor

from benchmarks.harness import Outcome, Parts, main
from benchmarks.planted import Planted, plant
from benchmarks.published import fit_published
from dct_tui.transcoder import ORTHOGONALISATIONS, FitConfig, Method, Orthogonalisation, Products, calibrate, fit

WIDTH = 4096
TRUE_FACTORS = 32
FULL_TRUE_FACTORS = (32, 128, 512)
FULL_SEEDS = 5
DEFAULT = FitConfig(scale=1.0).orthogonalisation


@dataclass(frozen=True)
class Score:
    """How one way of fitting did on one planted Δ."""

    way: str
    true_factors: int
    scale: float
    recovery: float
    mmcs: float
    seconds: float


def measure(full: bool, parts: Parts) -> Outcome:
    """The default recipe, or with `full` three numbers of true factors by five seeds."""
    scores: list[Score] = []
    for true_factors in FULL_TRUE_FACTORS if full else (TRUE_FACTORS,):
        for seed in range(FULL_SEEDS if full else 1):
            kept = parts.each(f"{true_factors} factors, seed {seed}", partial(_scores, true_factors, seed))
            scores.extend(Score(**score) for score in kept)
    return Outcome(_figures(scores), tuple(_table(scores)))


def _scores(true_factors: int, seed: int) -> list[Score]:
    return list(_all_ways(plant(WIDTH, true_factors, seed), seed))


def _all_ways(planted: Planted, seed: int) -> Iterable[Score]:
    calibrated = calibrate(Products(planted.delta), seed=seed).scale

    def ours(scale: float, kind: Orthogonalisation = DEFAULT, method: Method = "exponential") -> Callable[[], Tensor]:
        config = FitConfig(scale=scale, method=method, orthogonalisation=kind, seed=seed)
        return lambda: fit(planted.delta, config).V

    def published(scale: float) -> Callable[[], Tensor]:
        usual = FitConfig(scale=scale)
        return lambda: fit_published(
            Products(planted.delta), factors=usual.factors, iterations=usual.iterations, scale=scale, seed=seed
        )[0]

    def score(way: str, scale: float, directions: Callable[[], Tensor]) -> Score:
        started = time.perf_counter()
        recovery, mmcs = planted.recovery(directions())
        return Score(way, len(planted.W_in), scale, recovery, mmcs, time.perf_counter() - started)

    for kind in ORTHOGONALISATIONS:
        yield score(kind, calibrated, ours(calibrated, kind))
    yield score("half", calibrated / 2, ours(calibrated / 2))
    for kind in ORTHOGONALISATIONS:
        yield score(f"{kind}_r1", 1.0, ours(1.0, kind))
    yield score("random", calibrated, ours(calibrated, method="random"))
    yield score("published", calibrated, published(calibrated))
    yield score("published_r1", 1.0, published(1.0))


def _figures(scores: list[Score]) -> dict[str, float]:
    """Means over seeds; the plain names are those of the default recipe, others carry their number of factors."""
    figures: dict[str, float] = {}
    for true_factors, way, group in _groups(scores):
        suffix = "" if true_factors == TRUE_FACTORS else f"_{true_factors}"
        recovery, mmcs = mean(score.recovery for score in group), mean(score.mmcs for score in group)
        if way == DEFAULT:
            figures[f"recovery{suffix}"], figures[f"mmcs{suffix}"] = recovery, mmcs
            figures[f"calibrated_r{suffix}"] = mean(score.scale for score in group)
        stem, at_one = way.removesuffix("_r1"), "_r1" if way.endswith("_r1") else ""
        figures[f"{stem}_recovery{at_one}{suffix}"] = recovery
        figures[f"{stem}_mmcs{at_one}{suffix}"] = mmcs
    return figures


def _table(scores: list[Score]) -> Iterable[str]:
    yield f"Planted factors, d = {WIDTH}, {FitConfig(1.0).factors} fitted, {FitConfig(1.0).iterations} iterations"
    yield "(recovery: share of true factors met with cosine above .99; MMCS: mean best cosine; ± over seeds: the range)"
    yield ""
    yield f"{'true':>5}  {'way':<14}{'R':>7}  {'recovery':<20}{'MMCS':<22}{'seconds':>8}"
    for true_factors, way, group in _groups(scores):
        recovery = _spread([score.recovery for score in group], 3)
        mmcs = _spread([score.mmcs for score in group], 4)
        scale, seconds = mean(score.scale for score in group), mean(score.seconds for score in group)
        label = f"{way} *" if way == DEFAULT else way
        yield f"{true_factors:>5}  {label:<14}{scale:>7.2f}  {recovery:<20}{mmcs:<22}{seconds:>8.1f}"
    yield ""
    yield "* the default, at the calibrated R.  half: the default at half of it.  _r1: at R = 1."
    yield "published: the published algorithm with its faults.  random: the control."


def _groups(scores: list[Score]) -> Iterable[tuple[int, str, list[Score]]]:
    for true_factors, way in dict.fromkeys((score.true_factors, score.way) for score in scores):
        yield (
            true_factors,
            way,
            [score for score in scores if (score.true_factors, score.way) == (true_factors, way)],
        )


def _spread(values: list[float], digits: int) -> str:
    middle = f"{mean(values):.{digits}f}"
    return middle if len(values) == 1 else f"{middle} [{min(values):.{digits}f}, {max(values):.{digits}f}]"


if __name__ == "__main__":
    main("recovery", measure)
