from __future__ import annotations

import numpy as np
import pytest
import torch
from reference import SiteMap, exponential_map, normal_equations, orthonormal, unit

from dct_tui.transcoder import FitConfig, FitState, FunctionDelta, Products, fit
from dct_tui.transcoder.strengths import fit_objective, similarity, solve_strengths

E_MINUS_1 = float(np.expm1(1.0))


@pytest.mark.parametrize("orthogonalisation", ["qr", "polar"])
def test_planted_factors_are_a_fixed_point_with_known_strengths(orthogonalisation: str) -> None:
    Q, W = orthonormal(12, 4, 1), orthonormal(9, 4, 2)
    strengths = torch.tensor([4.0, 3.0, 2.0, 1.0], dtype=torch.float64)
    config = FitConfig(2.0, factors=4, iterations=1, orthogonalisation=orthogonalisation)  # type: ignore[arg-type]
    found = fit(exponential_map(Q, W * strengths), config, state=FitState(0, Q, 4))
    torch.testing.assert_close(found.V, Q)
    torch.testing.assert_close(found.U, W)
    # At v = q the map says s·(eᴿ − 1), the transcoder α·(e¹ − 1).
    torch.testing.assert_close(found.alpha, strengths * float(np.expm1(2.0)) / E_MINUS_1)
    assert found.history[0].change < 1e-12 and found.history[0].settled == 1.0


@pytest.mark.parametrize("orthogonalisation", ["qr", "polar"])
def test_finds_planted_factors_on_their_own_side(orthogonalisation: str) -> None:
    Q, W = unit(384, 8, 3), unit(384, 8, 4)
    config = FitConfig(4.0, factors=32, iterations=10, orthogonalisation=orthogonalisation)  # type: ignore[arg-type]
    found = fit(exponential_map(Q, W), config)
    best = (Q.T @ found.V).max(dim=1).values
    assert int((best > 0.99).sum()) >= 7 and float(best.mean()) > 0.99
    assert not found.sign_is_free


@pytest.mark.parametrize(
    ("method", "orthogonalisation"), [("exponential", "qr"), ("exponential", "polar"), ("melbo", "polar")]
)
def test_outputs_and_strengths_belong_to_the_directions_returned(method: str, orthogonalisation: str) -> None:
    delta = SiteMap(7, 6, [[0, 1], [2]])
    config = FitConfig(1.5, method, 4, 3, orthogonalisation)  # type: ignore[arg-type]
    found = fit(delta, config)
    values = torch.stack([delta.at(1.5 * v) for v in found.V.T], dim=1)
    torch.testing.assert_close(found.V.norm(dim=0), torch.ones(4, dtype=torch.float64))
    torch.testing.assert_close(found.U, values / values.norm(dim=0))
    K, b = normal_equations(np.expm1, found.U, found.V, values)
    np.testing.assert_allclose(K @ found.alpha.numpy(), b, rtol=1e-8)


def test_step_is_the_gradient_of_the_norm_at_the_orthogonalised_directions() -> None:
    delta = SiteMap(6, 5, [[0, 1, 2]])
    V = unit(6, 3, 5)
    config = FitConfig(1.3, factors=3, iterations=1, radii=(1.0, 0.5))
    found = fit(delta, config, state=FitState(0, V, 5))
    w, q = np.linalg.eigh(V.numpy().T @ V.numpy())
    apart = V @ torch.from_numpy(q @ np.diag(w**-0.5) @ q.T)
    for column, v in enumerate(apart.T):
        reach = 1.3 * (1.0, 0.5, 1.0)[column]
        gradient = torch.autograd.functional.jacobian(lambda x, reach=reach: delta.at(reach * x).norm(), v)
        torch.testing.assert_close(found.V[:, column], gradient / gradient.norm())


def test_objective_is_the_expanded_square_of_the_tensor_difference() -> None:
    """L = Σ (1/k!)‖RᵏT⁽ᵏ⁾ − T̂⁽ᵏ⁾‖², with both tensors written out entry by entry."""
    scale, orders = 0.6, 9
    Q, W = unit(3, 2, 6), np.random.default_rng(7).standard_normal((2, 2))
    V = unit(3, 3, 8)
    values = Products(exponential_map(Q, torch.from_numpy(W))).values(scale * V.T).T
    U = values / values.norm(dim=0)

    def loss(alpha: np.ndarray) -> float:
        total, factorial = 0.0, 1.0
        for k in range(1, orders + 1):
            factorial *= k
            true = sum(scale**k * np.multiply.outer(W[:, i], power(Q[:, i].numpy(), k)) for i in range(2))
            ours = sum(alpha[i] * np.multiply.outer(U[:, i].numpy(), power(V[:, i].numpy(), k)) for i in range(3))
            total += float(np.sum((true - ours) ** 2)) / factorial
        return total

    K, b = similarity("exponential", U, V), values.norm(dim=0)
    best = solve_strengths(K, b).numpy()
    for alpha in (best, np.array([1.0, -0.5, 2.0]), np.array([0.3, 0.0, 0.0])):
        gained = alpha @ b.numpy() - alpha @ K.numpy() @ alpha / 2
        # What is left out beyond order 9 is of the order of 1/10!.
        assert loss(np.zeros(3)) - loss(alpha) == pytest.approx(2 * gained, rel=1e-5)
    assert loss(np.zeros(3)) - loss(best) == pytest.approx(2 * fit_objective(K, b), rel=1e-5)


def power(v: np.ndarray, k: int) -> np.ndarray:
    tensor = v
    for _ in range(k - 1):
        tensor = np.multiply.outer(tensor, v)
    return tensor


def test_reported_objective_is_taken_where_the_gradients_are() -> None:
    delta, V = SiteMap(6, 5, [[0, 1, 2]]), orthonormal(6, 3, 9)
    config = FitConfig(1.3, factors=3, iterations=1, radii=(0.75, 1.5))
    history = fit(delta, config, state=FitState(0, V, 5)).history
    points = V * torch.tensor([0.75, 1.5, 0.75])
    values = torch.stack([delta.at(1.3 * point) for point in points.T], dim=1)
    K, b = normal_equations(np.expm1, values / values.norm(dim=0), points, values)
    assert history[0].objective == pytest.approx(b @ np.linalg.solve(K, b) / 2, rel=1e-9)


def test_values_whose_squares_overflow_are_fitted_all_the_same() -> None:
    """At 1.8 times R an exponential map gives e⁵⁴ ≈ 3·10²³, the square of which float32 does not hold."""
    delta, Q = FunctionDelta(torch.expm1, 6, 6), torch.eye(6)
    config = FitConfig(30.0, factors=6, iterations=2)
    found = fit(delta, config, state=FitState(0, Q, 6))
    torch.testing.assert_close(found.V, Q)
    assert found.history[-1].settled == 1.0


def test_copies_of_a_factor_share_its_strength() -> None:
    v = unit(5, 1, 10).expand(5, 3)
    alpha = solve_strengths(similarity("exponential", v, v), torch.full((3,), 6.0))
    torch.testing.assert_close(alpha, torch.full((3,), 2.0 / E_MINUS_1, dtype=torch.float64))


def test_copies_but_for_rounding_share_its_strength_too() -> None:
    v = unit(64, 1, 11).expand(64, 3).float()
    near = v + 1e-4 * torch.from_numpy(np.random.default_rng(12).standard_normal((64, 3))).float()
    near = near / near.norm(dim=0)
    importance = torch.tensor([6.0, 6.001, 5.999])
    alpha = solve_strengths(similarity("exponential", near, near), importance)
    torch.testing.assert_close(alpha, torch.full((3,), 2.0 / E_MINUS_1, dtype=torch.float64), rtol=1e-3, atol=0)


def test_directions_without_effect_have_no_output_and_no_strength() -> None:
    """The last two of four inputs do nothing; with m = d some directions must have (almost) no effect."""
    delta = FunctionDelta(lambda theta: torch.expm1(theta[:, :2]), 4, 2, torch.float64)
    identity = torch.eye(4, dtype=torch.float64)
    found = fit(delta, FitConfig(1.0, factors=4, iterations=2), state=FitState(0, identity, 4))
    torch.testing.assert_close(found.V, identity)
    torch.testing.assert_close(found.alpha, torch.tensor([1.0, 1.0, 0.0, 0.0], dtype=torch.float64))
    assert float(found.U[:, 2:].abs().max()) == 0.0


@pytest.mark.parametrize("factors", [1, 6])
@pytest.mark.parametrize("method", ["exponential", "quadratic", "melbo", "linear", "projected", "random"])
@pytest.mark.parametrize("orthogonalisation", ["qr", "polar", "soft"])
def test_one_factor_and_as_many_as_the_width(factors: int, method: str, orthogonalisation: str) -> None:
    config = FitConfig(1.0, method, factors, 2, orthogonalisation)  # type: ignore[arg-type]
    found = fit(SiteMap(6, 6, [[0, 1, 2]]), config)
    assert found.V.shape == found.U.shape == (6, factors) and found.alpha.shape == (factors,)
    assert {found.V.dtype, found.U.dtype, found.alpha.dtype} == {torch.float64}
    for directions in (found.U, found.V):
        torch.testing.assert_close(directions.norm(dim=0), torch.ones(factors, dtype=torch.float64))
