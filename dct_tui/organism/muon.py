"""Muon (Jordan and others, 2024), with all matrices of one shape orthogonalised together."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

_QUINTIC = (3.4445, -4.7750, 2.0315)
_ROUNDS = 5
_ADAMW_SIZE = 0.2


def orthogonalised(matrices: Tensor) -> Tensor:
    """Push the singular values of each matrix of a stack (n × rows × columns) towards 1 by Newton-Schulz rounds."""
    a, b, c = _QUINTIC
    tall = matrices.shape[-2] > matrices.shape[-1]
    x: Tensor = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(_ROUNDS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Nesterov momentum whose steps are orthogonalised, then scaled to the root mean square of AdamW's steps (0.2).

    Takes matrices only. ``lr`` and ``weight_decay`` (decoupled) mean what they mean to AdamW.
    """

    def __init__(self, params: Iterable[Tensor], lr: float, weight_decay: float = 0.0, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update every matrix that has a gradient."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = {}
            for matrix in group["params"]:
                if matrix.grad is not None:
                    by_shape.setdefault(matrix.shape, []).append(matrix)
            for shape, matrices in by_shape.items():
                self._step_together(matrices, shape, group)

    def _step_together(self, matrices: list[Tensor], shape: torch.Size, group: dict[str, float]) -> None:
        momentum = group["momentum"]
        directions = []
        for matrix in matrices:
            gradient = matrix.grad
            assert gradient is not None
            buffer = self.state[matrix].setdefault("momentum", torch.zeros_like(matrix))
            buffer.lerp_(gradient, 1 - momentum)
            directions.append(gradient.lerp(buffer, momentum))
        scale = group["lr"] * _ADAMW_SIZE * max(shape) ** 0.5
        for matrix, update in zip(matrices, orthogonalised(torch.stack(directions)), strict=True):
            matrix.mul_(1 - group["lr"] * group["weight_decay"]).sub_(update, alpha=scale)
