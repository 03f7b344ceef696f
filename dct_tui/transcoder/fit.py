"""Fitting: a Δ and a config in, a transcoder out, a callback and a resumable state after every iteration."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from .algorithm import Algorithm, Iterative
from .config import FitConfig, Method
from .control import RandomControl
from .delta import Delta, NotFiniteError
from .exponential import Exponential
from .linear import Linear, ProjectedLinear
from .melbo import Melbo
from .products import Products
from .quadratic import Quadratic
from .result import FitState, Iteration, Transcoder

ALGORITHMS: dict[Method, Algorithm] = {
    "exponential": Exponential(),
    "quadratic": Quadratic(),
    "linear": Linear(),
    "projected": ProjectedLinear(),
    "melbo": Melbo(),
    "random": RandomControl(),
}

SETTLED_COSINE = 0.999


class Enough(Exception):  # noqa: N818
    """Raised by a callback of a fit: it ends at its last finished iteration, as if no more had been asked for."""


def fit(
    delta: Delta,
    config: FitConfig,
    *,
    state: FitState | None = None,
    on_iteration: Callable[[FitState], None] | None = None,
) -> Transcoder:
    """Fits a transcoder to Δ.

    Args:
        delta: the map.
        config: what to fit; with the `row_batch` of an earlier fit's result it repeats that one bit for bit on the
            same machine, unless memory ran out in the midst of it.
        state: where an interrupted fit stood; the fit goes on from there to the same result, bit for bit on the
            same machine.
        on_iteration: called with the state after the start (iteration 0) and after every iteration. What it
            or the Δ's `on_rows` raises ends the fit; the last state it was given is enough to go on. `Enough`,
            raised once the start is made, ends it with a transcoder of the iterations that are finished.

    Raises:
        ValueError: a config that cannot be fitted, a state that is not of this fit, or a Δ that gives values
            that are not finite.
    """
    config.check(delta.d_in, delta.d_out)
    algorithm = ALGORITHMS[config.method]
    products = Products(delta, state.row_batch if state else config.row_batch)
    if state is None:
        generator = torch.Generator().manual_seed(config.seed)
        state = FitState(0, algorithm.start(products, config, generator), products.row_batch)
        _announce(state, on_iteration)
    state = _moved_to(delta, config, state)
    if isinstance(algorithm, Iterative):
        with suppress(Enough):
            while state.iteration < config.iterations:
                state = _advance(algorithm, products, config, state)
                _announce(state, on_iteration)
        config = replace(config, iterations=state.iteration)
    U, alpha = algorithm.outputs(products, config, state.V)
    _require_finite(U, "the output directions")
    _require_finite(alpha, "the strengths")
    used = replace(config, row_batch=products.row_batch)
    return Transcoder(V=state.V, U=U, alpha=alpha, config=used, history=state.history)


def _moved_to(delta: Delta, config: FitConfig, state: FitState) -> FitState:
    if state.V.shape != (delta.d_in, config.factors):
        raise ValueError(
            f"the fit to go on with has {state.V.shape[1]} factors of width {state.V.shape[0]}, "
            f"this one {config.factors} of {delta.d_in}: start it anew"
        )
    norms = None if state.gradient_norms is None else state.gradient_norms.to(delta.device, delta.dtype)
    return replace(state, V=state.V.to(delta.device, delta.dtype), gradient_norms=norms)


def _advance(algorithm: Iterative, products: Products, config: FitConfig, state: FitState) -> FitState:
    rows, away, started = products.rows_done, products.seconds_away, time.perf_counter()
    V, gradient_norms, objective = algorithm.step(products, config, state)
    cosines = cosine_similarity(V, state.V, dim=0)
    iteration = Iteration(
        number=state.iteration + 1,
        objective=objective,
        change=float((1 - cosines).mean()),
        settled=float((cosines > SETTLED_COSINE).float().mean()),
        rows=products.rows_done - rows,
        seconds=time.perf_counter() - started - (products.seconds_away - away),
    )
    return FitState(iteration.number, V, products.row_batch, (*state.history, iteration), gradient_norms)


def _announce(state: FitState, on_iteration: Callable[[FitState], None] | None) -> None:
    _require_finite(state.V, f"the directions of iteration {state.iteration}")
    if state.history:
        _require_finite(
            torch.tensor(state.history[-1].objective, dtype=torch.float64),
            f"the objective of iteration {state.iteration}",
        )
    if on_iteration is not None:
        on_iteration(state)


def _require_finite(tensor: Tensor, what: str) -> None:
    if not bool(tensor.isfinite().all()):
        raise NotFiniteError(
            f"NaN or infinity in {what}: the model overflows at this scale, or its weights are damaged"
        )
