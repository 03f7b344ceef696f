from __future__ import annotations

import pytest
import torch
from reference import SiteMap, orthonormal

from dct_tui.transcoder import FitConfig, FitState, Products, fit
from dct_tui.transcoder.melbo import sum_of_prompt_norms


def objective(delta: SiteMap, theta: torch.Tensor) -> float:
    """Σ over prompts of the norm over positions and channels, site by site."""
    total = 0.0
    for p in range(len(delta.share)):
        squares = 0.0
        for t in range(delta.positions):
            if float(delta.share[p, t]) == 0.0:
                continue
            bias = delta.bias[p, t]
            change = delta.outer[p, t] @ (torch.tanh(delta.inner[p, t] @ theta + bias) - torch.tanh(bias))
            squares += float(change @ change)
        total += squares**0.5
    return total


@pytest.fixture
def delta() -> SiteMap:
    return SiteMap(6, 5, [[0, 2], [1], [3, 4]])


def test_objective_and_gradient(delta: SiteMap) -> None:
    theta = torch.randn(4, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    scores, gradients = Products(delta, 3).site_gradient(theta, sum_of_prompt_norms)
    step = 1e-6
    for point, score, gradient in zip(theta, scores, gradients, strict=True):
        assert float(score) == pytest.approx(objective(delta, point), rel=1e-12)
        for i, direction in enumerate(torch.eye(6, dtype=torch.float64)):
            slope = (objective(delta, point + step * direction) - objective(delta, point - step * direction)) / (
                2 * step
            )
            assert float(gradient[i]) == pytest.approx(slope, rel=1e-6, abs=1e-7)


def test_an_iteration_goes_along_the_gradient(delta: SiteMap) -> None:
    V = orthonormal(6, 2, 3)
    found = fit(delta, FitConfig(1.4, "melbo", 2, 1, radii=(1.0, 0.5)), state=FitState(0, V, 5))
    points = V * torch.tensor([1.4, 0.7], dtype=torch.float64)
    _, gradients = Products(delta).site_gradient(points.T, sum_of_prompt_norms)
    torch.testing.assert_close(found.V, (gradients / gradients.norm(dim=1, keepdim=True)).T)
    assert found.history[0].objective == pytest.approx(sum(objective(delta, point) for point in points.T))


def test_the_objective_grows(delta: SiteMap) -> None:
    history = fit(delta, FitConfig(1.4, "melbo", 1, 8)).history
    objectives = [iteration.objective for iteration in history]
    assert objectives == sorted(objectives) and objectives[-1] > objectives[0]


def test_a_prompt_without_change_has_no_gradient_instead_of_nan(delta: SiteMap) -> None:
    scores, gradients = Products(delta).site_gradient(torch.zeros(2, 6, dtype=torch.float64), sum_of_prompt_norms)
    assert float(scores.abs().max()) < 1e-100 and bool(gradients.isfinite().all())
