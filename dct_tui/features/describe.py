"""What is known of every feature as soon as it is fitted: one record each, for `features.json`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ..models.interventions import Steering
from ..models.loading import LanguageModel
from ..transcoder import Delta, Products, Transcoder, by_distinctness
from .divergence import Divergence
from .words import promoted_words

NEIGHBOURS = 3
JUDGED_PROMPTS = 4
STEP = 32


def describe(
    lm: LanguageModel,
    delta: Delta,
    transcoder: Transcoder,
    source: int,
    judged: Sequence[Sequence[int]],
    on_step: Callable[[int, int], None] | None = None,
) -> list[dict[str, Any]]:
    """Describes every feature.

    Args:
        lm: the model.
        delta: what the transcoder was fitted to.
        transcoder: whose features are described.
        source: the layer they are added at.
        judged: token ids of the prompts on which effects are measured; the first four serve.
        on_step: called with how many features are done, and of how many.

    Returns:
        one record a feature, by index: `index`, `rank` with distinct outputs first (from 1), `alpha`, `norm` ‖Δ(Rv)‖,
        `words` u promotes, `kl` in nats per token at strength 1, `neighbours` as pairs of index and cosine of v.
    """
    scale, V = transcoder.config.scale, transcoder.V
    norms = Products(delta, transcoder.config.row_batch).values(scale * V.T).norm(dim=1).tolist()
    rank = {feature: place for place, feature in enumerate(by_distinctness(transcoder), 1)}
    words, near = promoted_words(lm, transcoder.U), neighbours(V)
    divergence, kl = Divergence(lm, judged[:JUDGED_PROMPTS]), []
    rows = [[Steering(scale * vector, source)] for vector in V.T]
    for start in range(0, len(rows), STEP):
        kl += divergence.of(rows[start : start + STEP])
        if on_step is not None:
            on_step(len(kl), len(rows))
    return [
        {
            "index": index,
            "rank": rank[index],
            "alpha": float(transcoder.alpha[index]),
            "norm": norms[index],
            "words": words[index],
            "kl": kl[index],
            "neighbours": near[index],
        }
        for index in range(V.shape[1])
    ]


def neighbours(V: Tensor, count: int = NEIGHBOURS) -> list[list[tuple[int, float]]]:
    """For each column its nearest others by cosine, as pairs of index and cosine, nearest first."""
    cosines = V.T @ V
    cosines.fill_diagonal_(-torch.inf)
    count = min(count, V.shape[1] - 1)
    best = cosines.topk(count, dim=1)
    return [
        list(zip(indices, values, strict=True))
        for indices, values in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]
