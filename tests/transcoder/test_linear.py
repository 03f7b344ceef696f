from __future__ import annotations

import numpy as np
import pytest
import torch
from reference import SiteMap, jacobian, orthonormal, quadratic_map

from dct_tui.transcoder import FitConfig, FunctionDelta, Products, fit


@pytest.mark.parametrize(("d_in", "d_out"), [(7, 7), (9, 5), (5, 9)])
@pytest.mark.parametrize("method", ["linear", "projected"])
def test_is_the_svd_of_the_true_jacobian(d_in: int, d_out: int, method: str) -> None:
    delta, m = SiteMap(d_in, d_out, [[0, 1], [2]]), 5
    left, values, right = np.linalg.svd(jacobian(delta).numpy(), full_matrices=False)
    found = fit(delta, FitConfig(scale=2.5, method=method, factors=m))  # type: ignore[arg-type]
    if method == "linear":
        signs = np.sign(np.sum(found.V.numpy() * right[:m].T, axis=0))
        np.testing.assert_allclose(found.V.numpy(), right[:m].T * signs, atol=1e-10)
        np.testing.assert_allclose(found.U.numpy(), left[:, :m] * signs, atol=1e-10)
        np.testing.assert_allclose(found.alpha.numpy(), 2.5 * values[:m], rtol=1e-10)
    # Sign for sign, v goes to u with the strength that is claimed, whatever V is.
    image = jacobian(delta) @ found.V
    torch.testing.assert_close(2.5 * image, found.U * found.alpha, rtol=0, atol=1e-10)
    assert found.sign_is_free and found.history == ()


def test_all_its_factors_together_are_the_jacobian() -> None:
    delta = SiteMap(6, 8, [[0], [1, 2]])
    found = fit(delta, FitConfig(scale=0.7, method="linear", factors=6))
    theta = torch.randn(4, 6, dtype=torch.float64)
    torch.testing.assert_close(found(theta), 0.7 * theta @ jacobian(delta).T)


def test_projection_spans_what_the_jacobian_sees() -> None:
    """With J of rank 3 the projected directions are those of J's row space, though W is random."""
    rows, columns = orthonormal(50, 3, 1), orthonormal(40, 3, 2)
    J = columns @ torch.diag(torch.tensor([5.0, 2.0, 1.0], dtype=torch.float64)) @ rows.T
    delta = FunctionDelta(lambda theta: theta @ J.T, 50, 40, torch.float64)
    V = fit(delta, FitConfig(scale=1.0, method="projected", factors=3)).V
    torch.testing.assert_close(V @ V.T, rows @ rows.T)


def test_every_projected_direction_carries_signal() -> None:
    """The published code pads 32 projections with the SVD's null space; ours projects as often as is needed."""
    torch.manual_seed(0)
    J = torch.randn(60, 60, dtype=torch.float64)
    delta = FunctionDelta(lambda theta: theta @ J.T, 60, 60, torch.float64)
    few, many = (fit(delta, FitConfig(scale=1.0, method="projected", factors=m)) for m in (4, 48))
    # In a random 32-dimensional part of J's image the top directions are stronger than random ones (about √60).
    assert float(few.alpha.min()) > 60**0.5
    assert float(many.alpha.min()) > 1.0
    torch.testing.assert_close(many.V.T @ many.V, torch.eye(48, dtype=torch.float64))


def test_linear_does_not_see_the_second_derivative() -> None:
    Q, W = orthonormal(8, 2, 3), orthonormal(8, 2, 4)
    delta = quadratic_map(torch.zeros(8, 8, dtype=torch.float64), Q, W)
    assert float(Products(delta).pushforward(torch.eye(8, dtype=torch.float64)).abs().max()) == 0.0
    found = fit(delta, FitConfig(scale=1.0, method="linear", factors=2))
    assert float(found.alpha.abs().max()) == 0.0 and float(found.U.abs().max()) == 0.0
