"""Exponential DCT by orthogonalised gradient iteration: Algorithm 3 of the post, corrected; the default."""

from __future__ import annotations

import torch
from torch import Tensor

from .algorithm import Step, apart, jacobian_start, norms, outputs_at_scale, stepped, to_radii, unit
from .config import FitConfig
from .products import Products
from .result import FitState
from .strengths import fit_objective, similarity


class Exponential:
    """Maximises Σ α⟨u, Δ(Rv)⟩ − ½ Σ αα'⟨u,u'⟩(exp⟨v,v'⟩ − 1) over v as long as their radii.

    The post has all v of length 1. Where a climb ends depends on how far out it is made, so radii that differ bring
    out more; what is returned are directions, with u and α at R as ever.

    Differences from the published code: the orthogonalised columns keep their signs, each gradient uses the
    output direction of the same iteration, and the start gives every column signal.
    """

    def start(self, products: Products, config: FitConfig, generator: torch.Generator) -> Tensor:
        return jacobian_start(products, config, generator)

    def step(self, products: Products, config: FitConfig, state: FitState) -> Step:
        V = apart(config, state)
        points = to_radii(config, V)
        values, gradients = products.pullback(config.scale * points.T, lambda value: unit(value, dim=1))
        U = unit(values.T, dim=0)
        objective = fit_objective(similarity("exponential", U, points), norms(values, dim=1))
        return stepped(gradients, V, objective)

    def outputs(self, products: Products, config: FitConfig, V: Tensor) -> tuple[Tensor, Tensor]:
        return outputs_at_scale(products, config, V)
