"""Strengths α of given directions: the least-squares solution K α = b of the fit to Δ's derivatives."""

from __future__ import annotations

import torch
from torch import Tensor

from .config import Method

LEAST_EIGENVALUE = 1e-4


def activation(method: Method, x: Tensor) -> Tensor:
    """σ: x for the linear methods, x² for the quadratic, eˣ − 1 for the others."""
    if method in ("linear", "projected"):
        return x
    return x.square() if method == "quadratic" else torch.expm1(x)


def similarity(method: Method, U: Tensor, V: Tensor) -> Tensor:
    """K = (UᵀU) ∘ σ(VᵀV), m × m, in float64: how far factors say the same thing."""
    U, V = U.double(), V.double()
    return (U.T @ U) * activation(method, V.T @ V)


def solve_strengths(K: Tensor, importance: Tensor) -> Tensor:
    """α = K⁺ b. Copies of one factor make K singular: the pseudo-inverse shares the strength among them.

    K is symmetric and, by Schur's product theorem, positive semidefinite. Its eigenvalues below 1e-4 of the largest
    (two factors of cosine above about .9995) are left out: they add nothing to the fit, but would turn the rounding
    of b into huge strengths of opposite sign.

    Args:
        K: similarity, m × m.
        importance: b, m.

    Returns:
        α, m, float64; all NaN where K or b is not finite.
    """
    b = importance.double()
    if not bool(K.isfinite().all() and b.isfinite().all()):
        return torch.full_like(b, torch.nan)
    solution: Tensor = torch.linalg.pinv(K, rtol=LEAST_EIGENVALUE, hermitian=True) @ b
    return solution


def fit_objective(K: Tensor, importance: Tensor) -> float:
    """Causal importance minus similarity penalty at the best α: ½ bᵀK⁺b."""
    b = importance.double()
    return float(b @ solve_strengths(K, b)) / 2
