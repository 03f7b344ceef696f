from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from reference import SiteMap, unit

from dct_tui.transcoder import (
    METHODS,
    ORTHOGONALISATIONS,
    FitConfig,
    FitState,
    FunctionDelta,
    NotFiniteError,
    Transcoder,
    fit,
)

ITERATIVE = ("exponential", "quadratic", "melbo")
BROKEN = "the model overflows at this scale, or its weights are damaged$"


@pytest.fixture
def delta() -> SiteMap:
    return SiteMap(10, 9, [[0, 2], [1]])


def config_of(method: str, orthogonalisation: str = "polar", seed: int = 0) -> FitConfig:
    return FitConfig(1.2, method, 6, 4, orthogonalisation, seed, row_batch=4)  # type: ignore[arg-type]


def same_bits(one: Transcoder, other: Transcoder) -> bool:
    tensors = ((one.V, other.V), (one.U, other.U), (one.alpha, other.alpha))
    return all(torch.equal(mine, yours) for mine, yours in tensors)


def without_times(history: tuple) -> list[tuple]:  # type: ignore[type-arg]
    return [(i.number, i.objective, i.change, i.settled, i.rows) for i in history]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("orthogonalisation", ORTHOGONALISATIONS)
def test_resuming_from_any_iteration_gives_the_same_bits(delta: SiteMap, method: str, orthogonalisation: str) -> None:
    config, states = config_of(method, orthogonalisation), list[FitState]()
    whole = fit(delta, config, on_iteration=states.append)
    assert len(states) == (config.iterations + 1 if method in ITERATIVE else 1)
    for state in states:
        resumed = fit(delta, config, state=state)
        assert same_bits(resumed, whole)
        assert without_times(resumed.history) == without_times(whole.history)


def test_a_state_survives_being_written_as_arrays() -> None:
    """As a checkpoint of a float32 fit does."""
    generator = torch.Generator().manual_seed(0)
    J = torch.randn(12, 12, generator=generator)
    delta = FunctionDelta(lambda theta: torch.expm1(theta @ J / 4), 12, 12)
    config, states = FitConfig(1.0, factors=16, iterations=4, orthogonalisation="soft"), list[FitState]()
    whole = fit(delta, config, on_iteration=states.append)
    state = states[2]
    assert state.gradient_norms is not None
    read = FitState(
        state.iteration,
        torch.from_numpy(state.V.numpy().copy()),
        state.row_batch,
        state.history,
        torch.from_numpy(state.gradient_norms.numpy().copy()),
    )
    assert same_bits(fit(delta, config, state=read), whole)


def test_soft_orthogonalisation_weighs_by_the_gradients_that_made_the_state(delta: SiteMap) -> None:
    states: list[FitState] = []
    fit(delta, config_of("exponential", "soft"), on_iteration=states.append)
    assert states[0].gradient_norms is None
    norms = states[1].gradient_norms
    assert norms is not None and float(norms.max() / norms.min()) > 1.05
    with_norms, without = (
        fit(delta, config_of("exponential", "soft"), state=FitState(1, states[1].V, 4, gradient_norms=given))
        for given in (norms, None)
    )
    assert not torch.equal(with_norms.V, without.V)


@pytest.mark.parametrize("method", METHODS)
def test_a_seed_decides_everything(delta: SiteMap, method: str) -> None:
    first, again, other = (fit(delta, config_of(method, seed=seed)) for seed in (3, 3, 4))
    assert same_bits(first, again)
    if method != "linear":
        assert not torch.equal(first.V, other.V)


@pytest.mark.parametrize("method", ITERATIVE)
def test_a_callback_per_iteration_in_order(delta: SiteMap, method: str) -> None:
    states: list[FitState] = []
    found = fit(delta, config_of(method), on_iteration=states.append)
    assert [state.iteration for state in states] == [0, 1, 2, 3, 4]
    assert [len(state.history) for state in states] == [0, 1, 2, 3, 4]
    assert [iteration.number for iteration in found.history] == [1, 2, 3, 4]
    assert torch.equal(states[-1].V, found.V) and states[-1].history == found.history
    rows = 12 if method == "quadratic" else 6
    assert all(iteration.rows == rows and iteration.seconds > 0 for iteration in found.history)
    for before, after in pairwise(states):
        cosines = (before.V * after.V).sum(dim=0)
        assert after.history[-1].change == pytest.approx(float((1 - cosines).mean()), abs=1e-12)
        assert after.history[-1].settled == pytest.approx(float((cosines > 0.999).double().mean()))


def test_a_callback_that_raises_ends_the_fit_and_its_state_goes_on(delta: SiteMap) -> None:
    config, kept = config_of("exponential"), list[FitState]()

    def stop(state: FitState) -> None:
        kept.append(state)
        if state.iteration == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(delta, config, on_iteration=stop)
    assert same_bits(fit(delta, config, state=kept[-1]), fit(delta, config))


def test_methods_without_iterations_say_so_once(delta: SiteMap) -> None:
    for method in ("linear", "projected", "random"):
        states: list[FitState] = []
        found = fit(delta, config_of(method), on_iteration=states.append)
        assert [state.iteration for state in states] == [0] and found.history == ()


def test_the_control_is_random_with_the_outputs_it_has(delta: SiteMap) -> None:
    found = fit(delta, config_of("random"))
    torch.testing.assert_close(found.V.T @ found.V, torch.eye(6, dtype=torch.float64))
    values = torch.stack([delta.at(1.2 * v) for v in found.V.T], dim=1)
    torch.testing.assert_close(found.U, values / values.norm(dim=0))
    assert fit(delta, FitConfig(1.0, "random", 30)).V.shape == (10, 30)


@pytest.mark.parametrize("method", METHODS)
def test_nan_is_refused(method: str) -> None:
    delta = FunctionDelta(lambda theta: theta.square() * math.nan + theta, 6, 6)
    with pytest.raises(NotFiniteError, match=rf"^NaN or infinity in .*: {BROKEN}"):
        fit(delta, FitConfig(1.0, method, 3, 2))  # type: ignore[arg-type]


@pytest.mark.parametrize("orthogonalisation", ORTHOGONALISATIONS)
def test_overflow_at_the_scale_is_refused_before_it_is_announced(orthogonalisation: str) -> None:
    """The Jacobian at 0 is fine, Δ(Rv) is not; and one bad direction among good ones is enough."""
    delta = FunctionDelta(lambda theta: torch.cat([torch.exp(theta[:, :1]).exp() - math.e, theta[:, 1:]], 1), 6, 6)
    states: list[FitState] = []
    config = FitConfig(100.0, factors=4, iterations=3, orthogonalisation=orthogonalisation)  # type: ignore[arg-type]
    with pytest.raises(NotFiniteError, match=rf"^NaN or infinity in the directions of iteration 1: {BROKEN}"):
        fit(delta, config, on_iteration=states.append, state=FitState(0, torch.eye(6)[:, :4], 4))
    assert states == []


def test_a_state_of_another_fit_is_refused(delta: SiteMap) -> None:
    sentence = "^the fit to go on with has 5 factors of width 10, this one 6 of 10: start it anew$"
    with pytest.raises(ValueError, match=sentence):
        fit(delta, config_of("exponential"), state=FitState(1, unit(10, 5, 1), 4))


def test_the_result_says_which_row_batch_was_used(delta: SiteMap) -> None:
    assert fit(delta, FitConfig(1.0, factors=3, iterations=1)).config.row_batch == delta.suggested_rows()
    assert fit(delta, FitConfig(1.0, factors=3, iterations=1, row_batch=2)).config.row_batch == 2


def test_a_fit_goes_on_with_the_row_batch_it_had(delta: SiteMap) -> None:
    config = FitConfig(1.0, factors=3, iterations=2)
    assert fit(delta, config, state=FitState(1, unit(10, 3, 1), 2)).config.row_batch == 2


def test_which_methods_leave_the_sign_open(delta: SiteMap) -> None:
    free = {method for method in METHODS if fit(delta, config_of(method)).sign_is_free}
    assert free == {"linear", "projected", "quadratic"}
