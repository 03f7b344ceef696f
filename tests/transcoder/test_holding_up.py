"""Fits that are looked at, held up and ended early by what is called between their rows."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import torch
from reference import SiteMap

from dct_tui.transcoder import Enough, FitConfig, FitState, calibrate, fit
from dct_tui.transcoder.calibration import MOST_ROWS
from dct_tui.transcoder.products import Products

FACTORS, ITERATIONS = 6, 4
METHODS = ("exponential", "quadratic", "melbo")


@pytest.fixture
def delta() -> SiteMap:
    return SiteMap(10, 9, [[0, 2], [1]])


def config_of(method: str, iterations: int = ITERATIONS) -> FitConfig:
    return FitConfig(1.2, method, FACTORS, iterations, row_batch=4)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("during", [False, True], ids=["between iterations", "in the midst of one"])
def test_enough_leaves_the_fit_of_so_many_iterations(delta: SiteMap, method: str, during: bool) -> None:
    finished: list[int] = []

    def after(state: FitState) -> None:
        finished.append(state.iteration)
        if state.iteration == 2 and not during:
            raise Enough

    def before_rows(rows: int) -> None:
        # Once: what follows is the end of the fit, which evaluates rows too.
        if finished and finished[-1] == 2:
            delta.on_rows = None
            raise Enough

    delta.on_rows = before_rows if during else None
    ended = fit(delta, config_of(method), on_iteration=after)
    delta.on_rows = None
    whole = fit(delta, config_of(method, iterations=2))
    assert finished == [0, 1, 2]
    assert ended.config == whole.config
    assert all(torch.equal(getattr(ended, name), getattr(whole, name)) for name in ("V", "U", "alpha"))
    assert [entry.number for entry in ended.history] == [1, 2]


def test_enough_before_there_is_anything_ends_the_fit(delta: SiteMap) -> None:
    def before_rows(rows: int) -> None:
        raise Enough

    delta.on_rows = before_rows
    with pytest.raises(Enough):
        fit(delta, config_of("exponential"))


def test_every_row_is_told_before_it_is_evaluated(delta: SiteMap) -> None:
    told: list[int] = []
    delta.on_rows = told.append
    result = fit(delta, config_of("exponential"))
    # The start, the iterations and the outputs, each row once, in batches of equal sizes.
    assert sum(told) == FACTORS * (1 + ITERATIONS + 1)
    assert set(told) == {3}
    assert [entry.rows for entry in result.history] == [FACTORS] * ITERATIONS


def test_the_time_that_a_fit_is_held_up_is_not_its_own(delta: SiteMap, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock that only the one who holds it up moves on."""
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])

    def rest(rows: int) -> None:
        clock[0] += 1000.0

    delta.on_rows = rest
    assert [entry.seconds for entry in fit(delta, config_of("exponential")).history] == [0.0] * ITERATIONS
    assert clock[0] > 0


def test_a_calibration_tells_no_more_rows_than_it_says(delta: SiteMap) -> None:
    told: list[int] = []
    delta.on_rows = told.append
    found = calibrate(Products(delta), reference=4.0)
    assert 0 < sum(told) <= MOST_ROWS
    delta.on_rows = None
    assert replace(found) == calibrate(Products(delta), reference=4.0)
