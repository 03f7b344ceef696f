"""The planted-factor Δ of the published synthetic notebook: a shallow exponential MLP whose factors are known."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from dct_tui.transcoder import FunctionDelta

RECOVERED_COSINE = 0.99


@dataclass(frozen=True)
class Planted:
    """Δ(θ) = W_out expm1(W_in θ).

    Attributes:
        W_in: true input directions, factors × d, unit rows.
        W_out: true output directions, d × factors, unit columns.
    """

    W_in: Tensor
    W_out: Tensor

    @property
    def delta(self) -> FunctionDelta:
        width = self.W_in.shape[1]
        return FunctionDelta(lambda theta: torch.expm1(theta @ self.W_in.T) @ self.W_out.T, width, width)

    def recovery(self, V: Tensor) -> tuple[float, float]:
        """Share of true rows met by a column of V with signed cosine above .99, and the mean best cosine (MMCS)."""
        best = (self.W_in @ V).max(dim=1).values
        return float((best > RECOVERED_COSINE).float().mean()), float(best.mean())


def plant(width: int, factors: int, seed: int) -> Planted:
    """The recipe: weights of default-initialised linear layers, uniform in ±1/√fan_in, made unit."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(rows: int, columns: int) -> Tensor:
        weights: Tensor = (torch.rand(rows, columns, generator=generator) * 2 - 1) / columns**0.5
        return weights

    return Planted(normalize(uniform(factors, width), dim=1), normalize(uniform(width, factors), dim=0))
