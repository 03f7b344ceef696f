"""Strengths α of given directions: the least-squares solution K α = b of the fit to Δ's derivatives."""

from __future__ import annotations

import torch
from torch import Tensor

from .config import Method

LEAST_EIGENVALUE = 1e-10


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

    K is symmetric and, by Schur's product theorem, positive semidefinite. Eigenvalues below the precision of b
    (as a share of the largest) would turn its rounding into strengths; they are left out.

    Args:
        K: similarity, m × m.
        importance: b, m.

    Returns:
        α, m, float64; all NaN where K or b is not finite.
    """
    b = importance.double()
    if not bool(K.isfinite().all() and b.isfinite().all()):
        return torch.full_like(b, torch.nan)
    least = max(LEAST_EIGENVALUE, torch.finfo(importance.dtype).eps)
    solution: Tensor = torch.linalg.pinv(K, rtol=least, hermitian=True) @ b
    return solution


def fit_objective(K: Tensor, importance: Tensor) -> float:
    """Causal importance minus similarity penalty at the best α: ½ bᵀK⁺b."""
    b = importance.double()
    return float(b @ solve_strengths(K, b)) / 2
