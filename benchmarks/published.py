"""The algorithm as its authors published it, faults and all: the baseline that ours is held against.

Written anew from a description of `amack315/melbo-dct-post`, not copied from it. Never use it for anything else.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import normalize

from dct_tui.transcoder import Products

PROJECTIONS = 32


def fit_published(
    products: Products, *, factors: int, iterations: int, scale: float, seed: int
) -> tuple[Tensor, Tensor]:
    """The published exponential DCT.

    Its faults, kept on purpose:
    - the start takes columns of the SVD's Vᴴ where its rows are the singular vectors, so it knows nothing of J;
    - QR leaves the sign of a column to LAPACK, while the output direction it is paired with keeps its own;
    - the gradient pairs the new v with the output direction of the iteration before;
    - the V it returns is not orthogonal, and the U it returns belongs to the orthogonal one.

    Returns:
        V (d × m) and U (d' × m), unit columns.
    """
    delta = products.delta
    generator = torch.Generator().manual_seed(seed)
    W = torch.randn(PROJECTIONS, delta.d_out, generator=generator, dtype=torch.float64)
    rows = products.rows_of_jacobian(W.to(delta.device, delta.dtype))
    V = normalize(torch.linalg.svd(rows, full_matrices=True).Vh[:, :factors], dim=0)
    U = normalize(products.pushforward(V.T), dim=1)
    for _ in range(iterations):
        V = torch.linalg.qr(V).Q
        theta = scale * V.T
        values, gradients = _pullback_of_rows(products, theta, U)
        V, U = normalize(gradients.T, dim=0), normalize(values, dim=1)
    return V, U.T


def _pullback_of_rows(products: Products, theta: Tensor, cotangents: Tensor) -> tuple[Tensor, Tensor]:
    """Δ(θ) and J(θ)ᵀc for cotangents c that were fixed beforehand, one row batch at a time."""
    values, gradients = [], []
    for points, fixed in zip(theta.split(products.row_batch), cotangents.split(products.row_batch), strict=True):
        value, gradient = products.pullback(points, partial(_given, fixed))
        values.append(value)
        gradients.append(gradient)
    return torch.cat(values), torch.cat(gradients)


def _given(fixed: Tensor, _: Tensor) -> Tensor:
    return fixed
