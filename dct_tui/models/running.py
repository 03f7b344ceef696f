"""One forward pass, with masks and position ids said outright."""

from __future__ import annotations

import inspect
from typing import Any

from torch import Tensor

from .language_model import LanguageModel
from .templating import Batch

CACHES = ("past_key_values", "cache_params")


def run(lm: LanguageModel, batch: Batch, **settings: Any) -> Any:
    """The model's forward on a left-padded batch.

    Position ids are given wherever the model takes them: without them most models count pads as tokens.

    Args:
        settings: handed on to the model; `logits_to_keep` only where it takes that, so it may give more logits.
    """
    if not _takes(lm, "logits_to_keep"):
        settings.pop("logits_to_keep", None)
    if _takes(lm, "position_ids"):
        settings["position_ids"] = batch.positions
    return lm.model(input_ids=batch.ids, attention_mask=_mask(lm, batch.mask), **settings)


def next_token_logits(lm: LanguageModel, ids: Tensor, mask: Tensor, cache: Any) -> tuple[Tensor, Any]:
    """Logits after the last token (rows × vocabulary), and the cache that now holds all tokens so far.

    The cache is None where the model has none that can be gone on from: then all tokens must be given every time.

    Args:
        ids: the tokens not yet in the cache, rows × new tokens.
        mask: of all tokens so far, rows × tokens.
        cache: what the last call returned, or None.
    """
    name = next((name for name in CACHES if _takes(lm, name)), None)
    kept = name is not None and lm.caches
    settings: dict[str, Any] = {"use_cache": kept}
    if kept and cache is not None:
        settings[str(name)] = cache
    if _takes(lm, "position_ids"):
        settings["position_ids"] = Batch(ids, mask).positions[:, -ids.shape[1] :]
    if _takes(lm, "logits_to_keep"):
        settings["logits_to_keep"] = 1
    output = lm.model(input_ids=ids, attention_mask=_mask(lm, mask), **settings)
    return output.logits[:, -1], getattr(output, str(name), None) if kept else None


def drop_rows(cache: Any, remain: Tensor) -> None:
    """Leaves only these rows in a cache."""
    # From the CPU they index every layer's tensors, on whichever devices these lie.
    cache.batch_select_indices(remain.cpu())


def _mask(lm: LanguageModel, mask: Tensor) -> Tensor | None:
    # A model that reads pads is given none, and some of those misread the mask too.
    return mask if lm.pads else None


def _takes(lm: LanguageModel, argument: str) -> bool:
    return argument in inspect.signature(lm.model.forward).parameters
