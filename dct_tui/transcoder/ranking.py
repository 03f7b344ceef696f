"""Orders in which to look at factors: distinct ones first, by strength, or by the choice between two tokens."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from .delta import Delta
from .products import Products
from .result import Transcoder
from .strengths import similarity


def by_strength(transcoder: Transcoder) -> list[int]:
    """Factors by α², largest first."""
    return _descending(transcoder.alpha.square())


def by_distinctness(transcoder: Transcoder) -> list[int]:
    """Factors so that distinct outputs come first: farthest-first traversal (Gonzalez 1985), weighted by importance.

    The most important, then each time the one with the largest b·(1 − c): c is the largest |cos| of its u with those
    before it, and b = Kα what the strengths were solved from, ‖Δ(Rv)‖ in the exponential method. Strength alone puts
    copies beside each other, and shares what is one factor's among them. Ties in order.
    """
    U, V = transcoder.U, transcoder.V
    importance = (similarity(transcoder.config.method, U, V) @ transcoder.alpha.double()).abs().cpu()
    unit_outputs = normalize(U.double(), dim=0)
    cosines = (unit_outputs.T @ unit_outputs).abs().cpu()
    nearest, order = torch.zeros_like(importance), list[int]()
    for _ in range(len(importance)):
        gain = importance * (1 - nearest)
        gain[order] = -torch.inf
        order.append(int(gain.argmax()))
        nearest = torch.maximum(nearest, cosines[order[-1]])
    return order


def by_contrast(scores: Tensor) -> list[int]:
    """Factors by contrast score, largest first."""
    return _descending(scores)


def contrast_scores(to_last: Delta, transcoder: Transcoder, contrast: Tensor) -> Tensor:
    """⟨w, Δ_{s→last}(Rv)⟩ for each factor: how far it moves the unembedding towards one token from another.

    Args:
        to_last: the Δ from the same source layer to the end of the last block.
        transcoder: whose V and R are scored.
        contrast: w = W_U[token A] − W_U[token B], d'.

    Returns:
        scores, m.
    """
    products = Products(to_last, transcoder.config.row_batch)
    values = products.values(transcoder.config.scale * transcoder.V.T)
    return values @ contrast.to(values.device, values.dtype)


def _descending(scores: Tensor) -> list[int]:
    order: list[int] = scores.argsort(descending=True, stable=True).tolist()
    return order
