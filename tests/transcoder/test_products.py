from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import LimitedMemory, SiteMap, hessian, jacobian
from torch import Tensor

from dct_tui.transcoder import FitConfig, FunctionDelta, Products, fit
from dct_tui.transcoder.melbo import sum_of_prompt_norms

D_IN, D_OUT, ROWS = 6, 5, 11


@pytest.fixture
def delta() -> SiteMap:
    return SiteMap(D_IN, D_OUT, [[0, 2], [1], [3, 4]])


def rows(width: int, seed: int, count: int = ROWS) -> Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def everything(products: Products) -> dict[str, Tensor]:
    """Every product of one Δ at the same points."""
    theta, cotangents = rows(D_IN, 1), rows(D_OUT, 2)
    values, gradients = products.pullback(theta, lambda value: value / value.norm(dim=1, keepdim=True))
    scores, climbs = products.site_gradient(theta, sum_of_prompt_norms)
    return {
        "values": products.values(theta),
        "pullback values": values,
        "pullback gradients": gradients,
        "site scores": scores,
        "site gradients": climbs,
        "rows of the Jacobian": products.rows_of_jacobian(cotangents),
        "pushforward": products.pushforward(theta),
        "curvature": products.curvature(theta),
        "curvature gradient": products.curvature_gradient(cotangents, theta),
    }


def test_values_and_first_derivatives(delta: SiteMap) -> None:
    J, theta, cotangents = jacobian(delta), rows(D_IN, 1), rows(D_OUT, 2)
    products = Products(delta)
    torch.testing.assert_close(products.values(theta), torch.stack([delta.at(point) for point in theta]))
    torch.testing.assert_close(products.rows_of_jacobian(cotangents), cotangents @ J)
    torch.testing.assert_close(products.pushforward(theta), theta @ J.T)


def test_second_derivatives(delta: SiteMap) -> None:
    H, theta, cotangents = hessian(delta), rows(D_IN, 1), rows(D_OUT, 2)
    products = Products(delta)
    torch.testing.assert_close(products.curvature(theta), torch.einsum("oij,ri,rj->ro", H, theta, theta))
    expected = torch.einsum("oij,ro,rj->ri", H, cotangents, theta)
    torch.testing.assert_close(products.curvature_gradient(cotangents, theta), expected)


def test_pullback_equals_finite_differences(delta: SiteMap) -> None:
    """With the cotangent Δ/‖Δ‖ it is the gradient of ‖Δ‖."""
    theta, step = rows(D_IN, 3), 1e-6
    _, gradients = Products(delta).pullback(theta, lambda value: value / value.norm(dim=1, keepdim=True))
    for point, gradient in zip(theta, gradients, strict=True):
        for i, direction in enumerate(torch.eye(D_IN, dtype=torch.float64)):
            ahead, behind = (delta.at(point + sign * step * direction).norm() for sign in (1, -1))
            assert float(gradient[i]) == pytest.approx(float(ahead - behind) / (2 * step), rel=1e-6, abs=1e-8)


def test_the_second_derivative_of_a_linear_map_is_zero() -> None:
    products = Products(FunctionDelta(lambda theta: theta * 2, 3, 3, torch.float64))
    theta = rows(3, 1)
    assert float(products.curvature(theta).abs().max()) == 0.0
    assert float(products.curvature_gradient(theta, theta).abs().max()) == 0.0


@pytest.mark.parametrize("groups", [[[0], [1], [2], [3], [4]], [[4, 1], [0, 2, 3]]])
def test_parts_give_what_one_batch_of_prompts_gives(groups: list[list[int]]) -> None:
    together = everything(Products(SiteMap(D_IN, D_OUT, [[0, 1, 2, 3, 4]])))
    apart = everything(Products(SiteMap(D_IN, D_OUT, groups)))
    for name, expected in together.items():
        torch.testing.assert_close(apart[name], expected, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("row_batch", [1, 2, 4, 100])
def test_the_row_batch_changes_rounding_alone(delta: SiteMap, row_batch: int) -> None:
    expected, found, again = (everything(Products(delta, size)) for size in (ROWS, row_batch, row_batch))
    for name in expected:
        torch.testing.assert_close(found[name], expected[name])
        assert torch.equal(found[name], again[name])


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 200), row_batch=st.integers(1, 70))
def test_batches_are_few_equal_and_within_the_limit(count: int, row_batch: int) -> None:
    delta = LimitedMemory(lambda theta: theta, 1, 1, most=1000)
    theta = torch.arange(count, dtype=torch.float64)[:, None]
    products = Products(delta, row_batch)
    assert torch.equal(products.values(theta), theta)
    assert products.rows_done == sum(delta.asked) == count
    assert len(delta.asked) == -(-count // row_batch)
    assert max(delta.asked) <= row_batch and max(delta.asked) - min(delta.asked) <= 1


@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 60), row_batch=st.integers(1, 70), most=st.integers(1, 20))
def test_out_of_memory_halves_the_batch_until_it_fits(count: int, row_batch: int, most: int) -> None:
    delta = LimitedMemory(lambda theta: theta, 1, 1, most)
    theta = torch.arange(count, dtype=torch.float64)[:, None]
    products = Products(delta, row_batch)
    assert torch.equal(products.values(theta), theta)
    assert products.rows_done == count
    assert products.row_batch <= row_batch
    refused = [asked for asked in delta.asked if asked > most]
    assert len(refused) <= 7 and all(later <= sooner // 2 for sooner, later in pairwise(refused))


def test_a_row_that_does_not_fit_alone_is_an_error() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        Products(LimitedMemory(lambda theta: theta, 1, 1, most=0), 8).values(torch.ones(8, 1, dtype=torch.float64))


def test_a_fit_records_the_row_batch_that_fitted_and_repeats_with_it() -> None:
    J = rows(8, 5, 8)

    def curved(theta: Tensor) -> Tensor:
        return torch.expm1(theta @ J) @ J

    first = fit(LimitedMemory(curved, 8, 8, most=3), FitConfig(0.2, factors=6, iterations=3, row_batch=64))
    assert first.config.row_batch == 3
    again = fit(LimitedMemory(curved, 8, 8, most=3), first.config)
    roomy = fit(FunctionDelta(curved, 8, 8, torch.float64), FitConfig(0.2, factors=6, iterations=3, row_batch=64))
    assert torch.equal(first.V, again.V) and torch.equal(first.alpha, again.alpha)
    torch.testing.assert_close(first.V, roomy.V)


def test_the_delta_suggests_the_row_batch_unless_one_is_given(delta: SiteMap) -> None:
    assert Products(delta).row_batch == delta.suggested_rows()
    assert Products(delta, 3).row_batch == 3


class TrainingOnly(torch.autograd.Function):
    """x² as quantised products are written: a backward of ordinary operations, and no tangent."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, cotangent: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return 2 * x * cotangent


def test_derivatives_where_an_operation_knows_no_tangents() -> None:
    w = rows(D_IN, 3, D_OUT)
    known = Products(FunctionDelta(lambda t: ((t + 1) @ w.T).square(), D_IN, D_OUT, torch.float64))
    unknown = Products(FunctionDelta(lambda t: TrainingOnly.apply((t + 1) @ w.T), D_IN, D_OUT, torch.float64))
    v, u = rows(D_IN, 4), rows(D_OUT, 5)
    torch.testing.assert_close(unknown.pushforward(v), known.pushforward(v))
    torch.testing.assert_close(unknown.curvature(v), known.curvature(v))
    torch.testing.assert_close(unknown.curvature_gradient(u, v), known.curvature_gradient(u, v))
    torch.testing.assert_close(known.pushforward(v), 2 * w.sum(dim=1) * (v @ w.T))
