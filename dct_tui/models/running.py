"""One forward pass, with masks and position ids said outright."""

from __future__ import annotations

import inspect
from typing import Any

from torch import Tensor

from .loading import LanguageModel
from .templating import Batch


def run(lm: LanguageModel, batch: Batch, **settings: Any) -> Any:
    """The model's forward on a left-padded batch.

    Position ids are given wherever the model takes them: without them most models count pads as tokens.
    """
    if _takes(lm, "position_ids"):
        settings["position_ids"] = batch.positions
    return lm.model(input_ids=batch.ids, attention_mask=batch.mask, **settings)


def next_token_logits(lm: LanguageModel, ids: Tensor, mask: Tensor, cache: Any) -> tuple[Tensor, Any]:
    """Logits after the last token (rows × vocabulary), and the cache that now holds all tokens so far.

    Args:
        ids: the tokens not yet in the cache, rows × new tokens.
        mask: of all tokens so far, rows × tokens.
        cache: what the last call returned, or None.
    """
    settings: dict[str, Any] = {"use_cache": True}
    if cache is not None:
        settings["past_key_values"] = cache
    if _takes(lm, "position_ids"):
        settings["position_ids"] = (mask.cumsum(dim=1) - 1).clamp_min(0)[:, -ids.shape[1] :]
    if _takes(lm, "logits_to_keep"):
        settings["logits_to_keep"] = 1
    output = lm.model(input_ids=ids, attention_mask=mask, **settings)
    return output.logits[:, -1], output.past_key_values


def _takes(lm: LanguageModel, argument: str) -> bool:
    return argument in inspect.signature(lm.model.forward).parameters
