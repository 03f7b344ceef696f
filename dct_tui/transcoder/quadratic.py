"""Quadratic DCT by orthogonalised alternating least squares on true second derivatives: Algorithm 2."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from .algorithm import Step, apart, stepped, unit_or
from .config import FitConfig
from .orthogonal import unit_gaussian
from .products import Products
from .result import FitState
from .strengths import fit_objective, similarity, solve_strengths


class Quadratic:
    """Factors of T⁽²⁾, the second derivative of Δ at 0: Δ(Rθ) ≈ JRθ + Σ α⟨v,θ⟩² u."""

    def start(self, products: Products, config: FitConfig, generator: torch.Generator) -> Tensor:
        """T⁽²⁾(w, r, ·) for random outputs w and directions r.

        The post starts from the Jacobian, which may be blind to the factors of T⁽²⁾: where it is, or is zero,
        nothing would ever move.
        """
        delta = products.delta
        w = torch.randn(config.factors, delta.d_out, generator=generator, dtype=torch.float64)
        r = unit_gaussian(delta.d_in, config.factors, generator).to(delta.device, delta.dtype)
        return unit_or(products.curvature_gradient(w.to(delta.device, delta.dtype), r.T).T, r)

    def step(self, products: Products, config: FitConfig, state: FitState) -> Step:
        V = apart(config, state)
        curvature = products.curvature(V.T)
        U = normalize(curvature.T, dim=0)
        importance = curvature.norm(dim=1) * config.scale**2 / 2
        objective = fit_objective(similarity("quadratic", U, V), importance)
        return stepped(products.curvature_gradient(U.T, V.T), V, objective)

    def outputs(self, products: Products, config: FitConfig, V: Tensor) -> tuple[Tensor, Tensor]:
        curvature = products.curvature(V.T)
        U = normalize(curvature.T, dim=0)
        importance = curvature.norm(dim=1) * config.scale**2 / 2
        return U, solve_strengths(similarity("quadratic", U, V), importance).to(V.dtype)
