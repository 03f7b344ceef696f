"""The algorithm as its authors published it, faults and all: the baseline that ours is held against.

Written anew from a description of `amack315/melbo-dct-post`, not copied from it. Never use it for anything else.
"""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import normalize

from dct_tui.transcoder import Products
from dct_tui.transcoder.orthogonal import unit_gaussian

PROJECTIONS = 32
BRACKET = (1e-3, 1e2)
CALIBRATION_DIRECTIONS = 30
BISECTIONS = 20


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


def published_order(products: Products, V: Tensor, U: Tensor, scale: float) -> list[int]:
    """Factors by the α² of α = K⁻¹⟨u, Δ(Rv)⟩, with the U that belongs to another V than this one."""
    K = (U.T @ U) * torch.expm1(V.T @ V)
    reached = (products.values(scale * V.T) * U.T).sum(dim=1)
    alpha = torch.linalg.solve(K.double(), reached.double())
    order: list[int] = alpha.square().argsort(descending=True, stable=True).tolist()
    return order


def calibrate_published(products: Products, seed: int, target: float = 0.5) -> float | None:
    """The published R: a root of the nonlinearity ratio minus λ in a bracket that does not know the stream's norm.

    Returns:
        R, or None where both ends of the bracket lie on one side: the published code raises an error there.
    """
    generator = torch.Generator().manual_seed(seed)
    drawn = unit_gaussian(products.delta.d_in, CALIBRATION_DIRECTIONS, generator)
    v = drawn.T.to(products.delta.device, products.delta.dtype)
    image = products.pushforward(v)

    def excess(scale: float) -> float:
        linear = scale * image
        shares = (products.values(scale * v) - linear).square().sum(dim=1) / linear.square().sum(dim=1)
        return math.sqrt(float(shares.mean())) - target

    low, high = BRACKET
    if excess(low) * excess(high) > 0:
        return None
    falling = excess(low) > 0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2 if high - low > 1 else math.sqrt(low * high)
        low, high = (middle, high) if (excess(middle) > 0) == falling else (low, middle)
    return math.sqrt(low * high)


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
