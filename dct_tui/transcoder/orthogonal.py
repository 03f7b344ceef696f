"""Keeping input directions apart: sign-fixed QR, polar, and soft orthogonalisation. Columns are directions."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize

Orthogonalisation = Literal["qr", "polar", "soft"]
ORTHOGONALISATIONS: tuple[Orthogonalisation, ...] = ("qr", "polar", "soft")

SOFT_TEMPERATURE = 0.1
SOFT_STEPS = 10


def orthogonalise(directions: Tensor, kind: Orthogonalisation, strengths: Tensor | None = None) -> Tensor:
    """Unit columns that point apart.

    Args:
        directions: d × m.
        kind: `qr` favours the first columns, `polar` treats all alike and moves them least,
            `soft` only pushes like columns apart and so allows m > d.
        strengths: gradient norms g, m, which weight the columns in `soft`.

    Raises:
        ValueError: m > d with `qr` or `polar`.
    """
    if kind == "soft":
        return soft(directions, strengths)
    if directions.shape[1] > directions.shape[0]:
        raise ValueError(f"{directions.shape[1]} orthogonal directions do not exist in width {directions.shape[0]}")
    return sign_fixed_qr(directions) if kind == "qr" else polar(directions)


def sign_fixed_qr(directions: Tensor) -> Tensor:
    """The Q of a QR decomposition, each column on the side of the column it came from.

    LAPACK's Q has columns of either sign; Δ(−Rv) is not −Δ(Rv), so a flipped column is another feature.
    """
    q, r = torch.linalg.qr(directions)
    signed: Tensor = q * torch.where(torch.diagonal(r) < 0, -1.0, 1.0).to(q.dtype)
    return signed


def polar(directions: Tensor) -> Tensor:
    """The orthonormal columns nearest to unit `directions`: the polar factor, V(VᵀV)^(−1/2)."""
    left, _, right = torch.linalg.svd(normalize(directions, dim=0), full_matrices=False)
    nearest: Tensor = left @ right
    return nearest


def soft(directions: Tensor, strengths: Tensor | None = None) -> Tensor:
    """Soft orthogonalisation (SOGI): ten times, move each column away from those most like it.

    V ← normalize(V − V·softmax(VᵀV/T + log g, diagonal excluded)ᵀ), after the authors' later code.
    """
    v = normalize(directions, dim=0)
    if v.shape[1] == 1:
        return v
    weight = 0.0 if strengths is None else strengths.clamp_min(torch.finfo(v.dtype).tiny).log()
    for _ in range(SOFT_STEPS):
        logits = (v.T @ v) / SOFT_TEMPERATURE + weight
        logits.fill_diagonal_(-torch.inf)
        v = normalize(v - v @ logits.softmax(dim=1).T, dim=0)
    return v


def random_directions(d: int, m: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Random unit columns, d × m; orthonormal as far as m ≤ d allows. Drawn on the CPU, so alike on every device."""
    gaussian = unit_gaussian(d, m, generator)
    return (sign_fixed_qr(gaussian) if m <= d else gaussian).to(dtype)


def unit_gaussian(d: int, m: int, generator: torch.Generator) -> Tensor:
    """Unit columns drawn independently, d × m, float64 on the CPU."""
    return normalize(torch.randn(d, m, generator=generator, dtype=torch.float64), dim=0)
