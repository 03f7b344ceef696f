"""Linear DCT: singular vectors of the Jacobian of Δ at 0, in full (Algorithm 1) or projected (Algorithm 1′)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from .config import FitConfig
from .products import Products

LEAST_PROJECTIONS = 32


class Linear:
    """Right singular vectors of the whole Jacobian: d' pullbacks."""

    def start(self, products: Products, config: FitConfig, generator: torch.Generator) -> Tensor:
        delta = products.delta
        return self._right_singular(products, torch.eye(delta.d_out), config.factors)

    def outputs(self, products: Products, config: FitConfig, V: Tensor) -> tuple[Tensor, Tensor]:
        image = products.pushforward(V.T).T
        return normalize(image, dim=0), config.scale * image.norm(dim=0)

    def _right_singular(self, products: Products, projections: Tensor, count: int) -> Tensor:
        delta = products.delta
        rows = products.rows_of_jacobian(projections.to(delta.device, delta.dtype))
        if not bool(rows.isfinite().all()):
            return torch.full((delta.d_in, count), torch.nan)  # the SVD would fail without saying why; the fit does
        right: Tensor = torch.linalg.svd(rows, full_matrices=False).Vh
        return right[:count].T


class ProjectedLinear(Linear):
    """Right singular vectors of WJ for a random W, one pullback a row of W.

    W has as many rows as there are factors (at least 32): with fewer, the SVD's null space would fill the
    rest with directions that carry no signal.
    """

    def start(self, products: Products, config: FitConfig, generator: torch.Generator) -> Tensor:
        delta = products.delta
        count = min(delta.d_out, max(LEAST_PROJECTIONS, config.factors))
        W = torch.randn(count, delta.d_out, generator=generator, dtype=torch.float64)
        return self._right_singular(products, W, config.factors)
