from __future__ import annotations

import numpy as np
import pytest
import torch
from reference import SiteMap, hessian, normal_equations, orthonormal, quadratic_map

from dct_tui.transcoder import FitConfig, FunctionDelta, fit

STRENGTHS = torch.tensor([3.0, 2.0, 1.5, 1.0], dtype=torch.float64)
SCALE = 1.7


def planted(kind: str) -> tuple[FunctionDelta, torch.Tensor, torch.Tensor]:
    """Four quadratic factors, and a Jacobian that is zero, of full rank, or blind to every one of them."""
    d = 20
    directions, outputs = orthonormal(d, d, 5), orthonormal(d, 4, 6)
    Q, blind = directions[:, :4], directions[:, 4:]
    generator = torch.Generator().manual_seed(7)
    J = {
        "zero": torch.zeros(d, d, dtype=torch.float64),
        "full": torch.randn(d, d, generator=generator, dtype=torch.float64),
        "blind": orthonormal(d, d - 4, 8) @ blind.T * 10,
    }[kind]
    return quadratic_map(J, Q, outputs * STRENGTHS), Q, J


@pytest.mark.parametrize("kind", ["zero", "full", "blind"])
@pytest.mark.parametrize("orthogonalisation", ["qr", "polar"])
def test_finds_planted_factors_and_their_strengths(kind: str, orthogonalisation: str) -> None:
    delta, Q, J = planted(kind)
    config = FitConfig(SCALE, "quadratic", 4, 60, orthogonalisation)  # type: ignore[arg-type]
    found = fit(delta, config)
    cosines = (Q.T @ found.V).abs()
    best = cosines.argmax(dim=1)
    assert sorted(best.tolist()) == [0, 1, 2, 3]
    torch.testing.assert_close(cosines.max(dim=1).values, torch.ones(4, dtype=torch.float64), rtol=0, atol=1e-8)
    # T⁽²⁾(q, q) = 2 s w, and (R²/2) of it is the strength of ⟨q, θ⟩² in Δ(Rθ).
    torch.testing.assert_close(found.alpha[best], SCALE**2 * STRENGTHS, rtol=1e-6, atol=0)
    theta = torch.randn(5, 20, dtype=torch.float64)
    quadratic_part = delta.mean(SCALE * theta) - SCALE * theta @ J.T
    torch.testing.assert_close(found(theta), quadratic_part, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", ["zero", "full", "blind"])
def test_power_iteration_on_the_jacobian_cannot(kind: str) -> None:
    """What the published "quadratic" amounts to: V ← orth(JᵀJV)."""
    _, Q, J = planted(kind)
    V = orthonormal(20, 4, 9)
    for _ in range(60):
        V = torch.linalg.qr(J.T @ J @ V)[0] if kind != "zero" else J.T @ J @ V
    assert float((Q.T @ V).abs().max()) < 0.9


def test_outputs_and_strengths_are_those_of_the_second_derivative() -> None:
    delta = SiteMap(6, 7, [[0, 1], [2]])
    found = fit(delta, FitConfig(0.8, "quadratic", 4, 3))
    curved = torch.einsum("oij,im,jm->om", hessian(delta), found.V, found.V)
    torch.testing.assert_close(found.U, curved / curved.norm(dim=0))
    K, b = normal_equations(np.square, found.U, found.V, curved * 0.8**2 / 2)
    np.testing.assert_allclose(K @ found.alpha.numpy(), b, rtol=1e-8)


def test_a_linear_map_has_no_quadratic_factors() -> None:
    J = torch.randn(6, 6, dtype=torch.float64)
    found = fit(FunctionDelta(lambda theta: theta @ J.T, 6, 6, torch.float64), FitConfig(1.0, "quadratic", 3, 2))
    assert float(found.alpha.abs().max()) == 0.0
