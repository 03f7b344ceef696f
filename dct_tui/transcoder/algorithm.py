"""What every method of fitting is: a start, a step, and outputs for the directions that are returned."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import normalize

from .config import FitConfig
from .orthogonal import random_directions
from .products import Products
from .strengths import similarity, solve_strengths


class Algorithm(Protocol):
    """One way to find input directions V (d × m)."""

    iterates: bool

    def start(self, products: Products, config: FitConfig, generator: torch.Generator) -> Tensor:
        """The first V, unit columns; the final one for a method that does not iterate."""

    def step(self, products: Products, config: FitConfig, V: Tensor) -> tuple[Tensor, float]:
        """The next V, unit columns, and the objective at the V that came in."""

    def outputs(self, products: Products, config: FitConfig, V: Tensor) -> tuple[Tensor, Tensor]:
        """U (d' × m, unit columns) and α (m) that belong to this very V."""


def jacobian_start(products: Products, config: FitConfig, generator: torch.Generator) -> Tensor:
    """Pullbacks Jᵀw of m random outputs w: every column carries signal, at the price of one iteration.

    Where J is zero (a purely quadratic Δ) there is no signal, and a random start takes its place.
    """
    delta = products.delta
    w = torch.randn(config.factors, delta.d_out, generator=generator, dtype=torch.float64)
    rows = products.rows_of_jacobian(w.to(delta.device, delta.dtype))
    spare = random_directions(delta.d_in, config.factors, generator, delta.dtype).to(delta.device)
    return unit_or(rows.T, spare)


def unit_or(columns: Tensor, spare: Tensor) -> Tensor:
    """Unit columns; a column that is zero or not finite gives way to the spare one."""
    norms = columns.norm(dim=0)
    return torch.where((norms > 0) & norms.isfinite(), normalize(columns, dim=0, eps=0.0), spare)


def outputs_at_scale(products: Products, config: FitConfig, V: Tensor) -> tuple[Tensor, Tensor]:
    """u = Δ(Rv)/‖Δ(Rv)‖ and the exponential method's α = K⁺⟨u, Δ(Rv)⟩, K = (UᵀU) ∘ expm1(VᵀV) (Alg. 3)."""
    values = products.values(config.scale * V.T).T
    U = normalize(values, dim=0)
    K = similarity("exponential", U, V)
    return U, solve_strengths(K, values.norm(dim=0)).to(V.dtype)
