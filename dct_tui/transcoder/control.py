"""The control: random directions of the same norm at the same place."""

from __future__ import annotations

import torch
from torch import Tensor

from .algorithm import outputs_at_scale
from .config import FitConfig
from .orthogonal import random_directions
from .products import Products


class RandomControl:
    """Random directions, orthonormal as far as the width allows, with the outputs Δ gives them."""

    def start(self, products: Products, config: FitConfig, generator: torch.Generator) -> Tensor:
        delta = products.delta
        return random_directions(delta.d_in, config.factors, generator, delta.dtype).to(delta.device)

    def outputs(self, products: Products, config: FitConfig, V: Tensor) -> tuple[Tensor, Tensor]:
        return outputs_at_scale(products, config, V)
