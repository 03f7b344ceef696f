"""Orders in which to look at factors: by strength, or by what they do to the choice between two tokens."""

from __future__ import annotations

from torch import Tensor

from .delta import Delta
from .products import Products
from .result import Transcoder


def by_strength(transcoder: Transcoder) -> list[int]:
    """Factors by α², largest first."""
    return _descending(transcoder.alpha.square())


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
