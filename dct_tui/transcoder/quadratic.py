"""Quadratic DCT by orthogonalised alternating least squares on true second derivatives: Algorithm 2."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from .algorithm import jacobian_start, unit_or
from .config import FitConfig
from .orthogonal import orthogonalise
from .products import Products
from .strengths import fit_objective, similarity, solve_strengths


class Quadratic:
    """Factors of T⁽²⁾, the second derivative of Δ at 0: Δ(Rθ) ≈ JRθ + Σ α⟨v,θ⟩² u."""

    iterates = True

    def start(self, products: Products, config: FitConfig, generator: torch.Generator) -> Tensor:
        return jacobian_start(products, config, generator)

    def step(self, products: Products, config: FitConfig, V: Tensor) -> tuple[Tensor, float]:
        V = orthogonalise(V, config.orthogonalisation)
        curvature = products.curvature(V.T)
        U = normalize(curvature.T, dim=0)
        importance = curvature.norm(dim=1) * config.scale**2 / 2
        objective = fit_objective(similarity("quadratic", U, V), importance)
        return unit_or(products.curvature_gradient(U.T, V.T).T, V), objective

    def outputs(self, products: Products, config: FitConfig, V: Tensor) -> tuple[Tensor, Tensor]:
        curvature = products.curvature(V.T)
        U = normalize(curvature.T, dim=0)
        importance = curvature.norm(dim=1) * config.scale**2 / 2
        return U, solve_strengths(similarity("quadratic", U, V), importance).to(V.dtype)
