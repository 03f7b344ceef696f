from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from reference import orthonormal, unit
from torch import Tensor

from dct_tui.transcoder import FunctionDelta, NotFiniteError, Products, calibrate

D = 12
ISOMETRY = orthonormal(D, D, 1)
ASIDE = unit(D, 1, 2)[:, 0]


def bent(bend: Callable[[Tensor], Tensor], slope: float = 1.0, dtype: torch.dtype = torch.float64) -> Products:
    """Δ(θ) = slope·Qθ + bend(‖θ‖)·c with Q an isometry and c a unit vector: the ratio at R is bend(R)/(slope·R)."""
    Q, c = ISOMETRY.to(dtype), ASIDE.to(dtype)
    return Products(FunctionDelta(lambda theta: slope * theta @ Q.T + bend(norm(theta)) * c, D, D, dtype))


def norm(theta: Tensor) -> Tensor:
    """‖θ‖, with the derivative 0 at 0."""
    square = theta.square().sum(dim=1, keepdim=True)
    return torch.where(square > 0, square.where(square > 0, torch.ones_like(square)).sqrt(), square)


@pytest.mark.parametrize("k", [100.0, 1.0, 0.03, 1e-6])
@pytest.mark.parametrize("slope", [1.0, 7.0])
def test_gives_the_scale_known_in_closed_form(k: float, slope: float) -> None:
    """‖k·q(Rv)‖/‖RJv‖ = kR/slope for q(v) = ‖v‖²c, near-linear maps included."""
    found = calibrate(bent(lambda length: k * length.square(), slope))
    assert found.kind == "solved"
    assert found.scale == pytest.approx(0.5 * slope / k, rel=1e-3)


def test_another_target() -> None:
    products = bent(lambda length: length.square())
    assert calibrate(products, target=0.2).scale == pytest.approx(0.2, rel=1e-3)


def test_directions_are_averaged_in_the_square() -> None:
    """The ratio is R·|⟨v,e⟩| per direction, so R = λ/√mean⟨v,e⟩² over the very directions that were drawn."""
    drawn: list[Tensor] = []

    def function(theta: Tensor) -> Tensor:
        drawn.append(theta.detach())
        return theta @ ISOMETRY.T + theta[:, :1] * norm(theta) * ASIDE

    found = calibrate(Products(FunctionDelta(function, D, D, torch.float64), row_batch=30))
    v = drawn[-1] / drawn[-1].norm(dim=1, keepdim=True)
    assert v.shape == (30, D)
    assert found.scale == pytest.approx(0.5 / float(v[:, 0].square().mean().sqrt()), rel=1e-3)


def test_with_a_reference_the_answer_is_the_same_inside_the_window() -> None:
    found = calibrate(bent(lambda length: length.square()), reference=2.0)
    assert (found.kind, found.reference) == ("solved", 2.0)
    assert found.scale == pytest.approx(0.5, rel=1e-3)
    assert all(0.025 <= scale <= 2.0 for scale, _ in found.curve)


NOWHERE: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda length: 0 * length,
    "plateau below": lambda length: 0.4 * length * length / (1e-9 + length),
    "plateau above": lambda length: 0.8 * length * length / (1e-9 + length),
}


@pytest.mark.parametrize("bend", NOWHERE.values(), ids=NOWHERE)
def test_a_ratio_that_never_rises_through_its_target(bend: Callable[[Tensor], Tensor]) -> None:
    alone, held = calibrate(bent(bend)), calibrate(bent(bend), reference=8.0)
    assert (alone.kind, alone.scale) == ("unbounded", 1.0)
    assert (held.kind, held.scale) == ("fallback", pytest.approx(0.45 * 8.0))
    assert calibrate(bent(bend), reference=8.0, fallback=0.25).scale == pytest.approx(2.0)


def test_a_jacobian_of_zero() -> None:
    def products() -> Products:
        return bent(lambda length: length.square(), slope=0.0)

    assert calibrate(products()).kind == "unbounded"
    held = calibrate(products(), reference=8.0)
    assert (held.kind, held.scale) == ("fallback", pytest.approx(3.6))
    assert all(ratio == math.inf for _, ratio in held.curve)


def test_rounding_at_small_scales_is_not_taken_for_the_answer() -> None:
    """States of norm 10⁵ in bfloat16: at R = 125 Δ is all rounding, which falls with R; the true answer is 5000."""
    far = 1e5 * ASIDE.float()

    def function(theta: Tensor) -> Tensor:
        def block(moved: Tensor) -> Tensor:
            return (far + moved + 1e-4 * norm(moved) ** 2 * ISOMETRY[:, 0].float()).bfloat16().float()

        return block(theta) - block(torch.zeros_like(theta))

    found = calibrate(Products(FunctionDelta(function, D, D)), reference=1e4)
    assert found.curve[0][1] > 0.5 > min(ratio for _, ratio in found.curve)
    assert found.kind == "solved"
    assert found.scale == pytest.approx(5000, rel=0.05)


def test_overflow_counts_as_far_from_linear() -> None:
    """In float32 the norm is infinite from about R = 45 on, long after the answer."""
    found = calibrate(bent(lambda length: torch.expm1(length) - length, 1e15, torch.float32))
    assert found.kind == "solved" and math.isinf(found.curve[-1][1])
    assert (math.expm1(found.scale) - found.scale) / (1e15 * found.scale) == pytest.approx(0.5, rel=0.02)


def test_nan_beyond_overflow_counts_as_far_from_linear_too() -> None:
    found = calibrate(
        bent(lambda length: torch.expm1(2 * length) - torch.expm1(length), 1.0, torch.float32), reference=1e4
    )
    assert found.kind == "fallback"
    assert all(ratio == math.inf for _, ratio in found.curve)


def test_the_curve_is_what_was_seen_and_a_seed_repeats_it() -> None:
    def products() -> Products:
        return bent(lambda length: length.square())

    found = calibrate(products(), seed=3)
    scales = [scale for scale, _ in found.curve]
    assert scales == sorted(set(scales))
    for scale, ratio in found.curve:
        assert ratio == pytest.approx(scale, rel=1e-9)
    assert calibrate(products(), seed=3) == found


def test_nan_is_refused() -> None:
    delta = FunctionDelta(lambda theta: theta * math.nan, 4, 4)
    with pytest.raises(
        NotFiniteError,
        match=r"^NaN or infinity in the derivative at 0: the model overflows, or its weights are damaged$",
    ):
        calibrate(Products(delta))
