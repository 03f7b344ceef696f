from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import Array, orthonormal, unit

from dct_tui.transcoder.orthogonal import orthogonalise, polar, random_directions, sign_fixed_qr, soft

SHAPES = [(9, 4), (6, 6), (5, 1)]


def gram_schmidt(columns: Array) -> Array:
    found: list[Array] = []
    for column in columns.T:
        rest = column - sum((q * (q @ column) for q in found), np.zeros(len(column)))
        found.append(rest / np.linalg.norm(rest))
    return np.stack(found, axis=1)


@pytest.mark.parametrize(("d", "m"), SHAPES)
def test_qr_is_gram_schmidt_so_no_column_changes_sides(d: int, m: int) -> None:
    V = unit(d, m, 1)
    found = sign_fixed_qr(V)
    np.testing.assert_allclose(found.numpy(), gram_schmidt(V.numpy()), atol=1e-12)
    assert float((found * V).sum(dim=0).min()) > 0
    torch.testing.assert_close(sign_fixed_qr(found), found)


def test_signs_do_need_fixing() -> None:
    """LAPACK alone turns columns round."""
    V = unit(9, 8, 2)
    assert float((torch.linalg.qr(V)[0] * V).sum(dim=0).min()) < 0


@pytest.mark.parametrize(("d", "m"), SHAPES)
def test_polar_is_the_symmetric_formula(d: int, m: int) -> None:
    V = unit(d, m, 3)
    values, vectors = np.linalg.eigh(V.numpy().T @ V.numpy())
    expected = V.numpy() @ vectors @ np.diag(values**-0.5) @ vectors.T
    np.testing.assert_allclose(polar(V).numpy(), expected, atol=1e-9)
    np.testing.assert_allclose(polar(3 * V).numpy(), expected, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), other=st.integers(0, 10_000), m=st.integers(1, 7))
def test_polar_is_the_nearest_and_treats_all_alike(seed: int, other: int, m: int) -> None:
    V = unit(7, m, seed)
    found = polar(V)
    torch.testing.assert_close(found.T @ found, torch.eye(m, dtype=torch.float64))
    assert float((V - found).norm()) <= float((V - orthonormal(7, m, other)).norm()) + 1e-12
    assert float((V - found).norm()) <= float((V - sign_fixed_qr(V)).norm()) + 1e-12
    order = torch.randperm(m, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(polar(V[:, order]), found[:, order], rtol=0, atol=1e-6)


def test_polar_of_copies_is_still_orthonormal() -> None:
    V = unit(8, 1, 4).expand(8, 3)
    found = polar(V)
    torch.testing.assert_close(found.T @ found, torch.eye(3, dtype=torch.float64))


def soft_by_hand(V: Array, strengths: Array) -> Array:
    m = V.shape[1]
    for _ in range(10):
        moved = V.copy()
        for i in range(m):
            others = [j for j in range(m) if j != i]
            weights = np.array([strengths[j] * np.exp(V[:, i] @ V[:, j] / 0.1) for j in others])
            away = sum(w * V[:, j] for w, j in zip(weights / weights.sum(), others, strict=True))
            moved[:, i] = V[:, i] - away
        V = moved / np.linalg.norm(moved, axis=0)
    return V


@pytest.mark.parametrize(("d", "m"), [(9, 4), (3, 8), (4, 4)])
def test_soft_weighs_by_likeness_and_strength(d: int, m: int) -> None:
    V, strengths = unit(d, m, 5), torch.arange(1.0, m + 1, dtype=torch.float64)
    np.testing.assert_allclose(soft(V, strengths).numpy(), soft_by_hand(V.numpy(), strengths.numpy()), atol=1e-9)
    np.testing.assert_allclose(soft(V).numpy(), soft_by_hand(V.numpy(), np.ones(m)), atol=1e-9)
    torch.testing.assert_close(soft(V, strengths), soft(V, 1000 * strengths))
    torch.testing.assert_close(soft(V).norm(dim=0), torch.ones(m, dtype=torch.float64))


def test_soft_takes_a_direction_without_gradient_and_a_single_one() -> None:
    V = unit(6, 3, 6)
    assert bool(soft(V, torch.tensor([1.0, 0.0, 2.0], dtype=torch.float64)).isfinite().all())
    torch.testing.assert_close(soft(V[:, :1] * 4), V[:, :1])


@pytest.mark.parametrize("kind", ["qr", "polar"])
def test_more_directions_than_the_width_are_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=r"^8 orthogonal directions do not exist in width 3$"):
        orthogonalise(unit(3, 8, 9), kind)  # type: ignore[arg-type]
    assert orthogonalise(unit(3, 8, 9), "soft").shape == (3, 8)


@pytest.mark.parametrize(("d", "m"), [(9, 4), (4, 4), (3, 8)])
def test_random_directions(d: int, m: int) -> None:
    V = random_directions(d, m, torch.Generator().manual_seed(1), torch.float64)
    torch.testing.assert_close(V.norm(dim=0), torch.ones(m, dtype=torch.float64))
    if m <= d:
        torch.testing.assert_close(V.T @ V, torch.eye(m, dtype=torch.float64))
    again = random_directions(d, m, torch.Generator().manual_seed(1), torch.float32)
    torch.testing.assert_close(again, V.float())
