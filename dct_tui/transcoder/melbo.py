"""MELBO (Mack and Turner, April 2024): directions that change the target positions most, prompt by prompt."""

from __future__ import annotations

import torch
from torch import Tensor

from .algorithm import Step, apart, jacobian_start, outputs_at_scale, stepped, to_radii
from .config import FitConfig
from .products import Products
from .result import FitState


class Melbo:
    """Maximises Σ_prompts ‖change at the prompt's target positions‖ at ‖θ‖ = R times its radius, directions kept apart.

    The original climbs with Adam, one direction after another; here all climb together by the same
    orthogonalised gradient iteration as the exponential method, so that the two differ in objective alone.
    """

    def start(self, products: Products, config: FitConfig, generator: torch.Generator) -> Tensor:
        return jacobian_start(products, config, generator)

    def step(self, products: Products, config: FitConfig, state: FitState) -> Step:
        V = apart(config, state)
        scores, gradients = products.site_gradient(config.scale * to_radii(config, V).T, sum_of_prompt_norms)
        return stepped(gradients, V, float(scores.sum()))

    def outputs(self, products: Products, config: FitConfig, V: Tensor) -> tuple[Tensor, Tensor]:
        return outputs_at_scale(products, config, V)


def sum_of_prompt_norms(changes: Tensor, weights: Tensor) -> Tensor:
    """Σ over prompts of the norm over positions and channels.

    Args:
        changes: rows × prompts × positions × d'.
        weights: prompts × positions; zero where a prompt has no such position.
    """
    present = (weights > 0).to(changes.dtype)
    squares = torch.einsum("rptd,pt->rp", changes.square(), present)
    return squares.clamp_min(torch.finfo(changes.dtype).tiny).sqrt().sum(dim=1)
