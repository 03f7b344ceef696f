"""What a model is put through when it is opened: sound weights, exact replay, causality, pads and cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ..errors import DctError
from .generation import end_tokens
from .language_model import LanguageModel
from .running import drop_rows, next_token_logits, run
from .slices import LayerRange, RecordedSlice, record_slice, split_hidden
from .templating import Batch, pad

TEXT = "The quick brown fox jumps over the lazy dog."
LONG, SHORT, CACHED_STEPS = 8, 5, 3
REPLAYED = {torch.float32: 1e-5, torch.float64: 1e-10}
REPLAYED_IN_LOW_PRECISION = 2e-2
SAME = {torch.float32: 1e-4, torch.float64: 1e-9}
SAME_IN_LOW_PRECISION = 0.1
CAUSAL_IN_LOW_PRECISION = 0.3  # a token that meets another expert by rounding is no breach of causality
SUMMED = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@torch.no_grad()
def prove(lm: LanguageModel) -> LanguageModel:
    """The same model, with what it can and cannot do noted; nothing of this is read off its name.

    Raises:
        DctError: weights that are not finite, end tokens that are no ids, a model whose blocks cannot be replayed, or
            one that looks ahead.
    """
    check_weights(lm)
    end_tokens(lm)
    ids = _probe(lm)
    batch = pad(lm, [ids, ids[:SHORT]])
    whole = LayerRange(0, lm.depth)
    recorded = record_slice(lm, batch, whole)
    check_replay(lm, recorded, batch, whole)
    alone = record_slice(lm, pad(lm, [ids[:SHORT]]), whole).leaving[0]
    ahead, padded = (_relative(row, alone) for row in (recorded.leaving[0, :SHORT], recorded.leaving[1, -SHORT:]))
    if not ahead <= SAME.get(lm.dtype, CAUSAL_IN_LOW_PRECISION):
        raise DctError(
            f"{lm.source.name} looks ahead: later tokens change what earlier ones mean to it",
            "choose a causal language model",
        )
    allowed = SAME.get(lm.dtype, SAME_IN_LOW_PRECISION)
    lm = replace(lm, pads=padded <= allowed)
    alike, unlike = [ids, ids[::-1], ids[1:] + ids[:1]], [ids, ids[:SHORT], ids[1:]]
    caches = _continues(lm, unlike if lm.pads else alike, allowed, drop=False)
    if lm.pads and not caches:
        # Some families mind pads, or the mask that marks them, only when they go on from a cache.
        unpadded = replace(lm, pads=False)
        caches = _continues(unpadded, alike, allowed, drop=False)
        lm = unpadded if caches else lm
    return replace(lm, caches=caches, drops=caches and _continues(lm, alike, allowed, drop=True))


def check_weights(lm: LanguageModel) -> None:
    """Raises DctError where a weight is NaN or infinite."""
    for name, parameter in lm.model.named_parameters():
        # One sum finds any NaN or infinity, and needs no second copy of the weights.
        if parameter.dtype in SUMMED and not parameter.is_meta:
            total = parameter.sum(dtype=torch.promote_types(parameter.dtype, torch.float32))
            if not bool(total.isfinite()):
                raise DctError(f"{name} of {lm.source.name} holds NaN or infinity", "its weights are damaged")


@torch.no_grad()
def check_replay(lm: LanguageModel, recorded: RecordedSlice, batch: Batch, layers: LayerRange) -> None:
    """Raises DctError where the replayed slice, under a vector, is not what the model itself computes under it."""
    entering = _tokens_of(recorded.entering, batch)
    if not bool(entering.isfinite().all() and _tokens_of(recorded.leaving, batch).isfinite().all()):
        raise DctError(
            f"{lm.source.name} gives NaN or infinity up to block {layers.target}",
            "its weights are damaged, or --dtype fp32 is needed",
        )
    size = entering.float().norm(dim=-1).median()
    draw = torch.randn(lm.width, generator=torch.Generator().manual_seed(0)).to(size)
    vector = (draw / draw.norm() * size / 2).to(entering.dtype)
    added = vector * batch.mask[:, :, None].to(vector)  # never to pads, as in a fit
    with _added(lm, layers.source, added):
        steered = record_slice(lm, batch, layers).leaving
    replayed = recorded.replay(recorded.entering + added)
    error = _relative(_tokens_of(replayed, batch), _tokens_of(steered, batch))
    if not error <= REPLAYED.get(lm.dtype, REPLAYED_IN_LOW_PRECISION):
        raise DctError(
            f"blocks {layers.source} to {layers.target - 1} of {lm.source.name} cannot be replayed exactly "
            f"(relative error {error:.1e})",
            "this architecture carries state past its blocks and is not supported",
        )


def _probe(lm: LanguageModel) -> list[int]:
    ids = lm.tokenizer(TEXT)["input_ids"]
    if not ids or max(ids) >= lm.vocabulary:
        raise DctError(
            f"the tokenizer of {lm.source.name} is not the one this model was trained with",
            f"its ids must lie below {lm.vocabulary}",
        )
    return list((ids * LONG)[:LONG])


@contextmanager
def _added(lm: LanguageModel, layer: int, added: Tensor) -> Iterator[None]:
    def add(block: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        hidden, rest, named = split_hidden(args, kwargs)
        return (hidden + added.to(hidden.device), *rest), named

    handle = lm.anatomy.blocks[layer].register_forward_pre_hook(add, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


def _continues(lm: LanguageModel, rows: list[list[int]], allowed: float, *, drop: bool) -> bool:
    """Whether going on from the cache gives the logits that the whole text gives; with `drop`, with a row less."""
    batch = pad(lm, rows)
    first = batch.ids.shape[1] - CACHED_STEPS
    try:
        _, cache = next_token_logits(lm, batch.ids[:, :first], batch.mask[:, :first], None)
        if cache is None:
            return False
        if drop:
            remain = torch.tensor([0, 2], device=lm.device)
            batch = Batch(batch.ids[remain], batch.mask[remain])
            drop_rows(cache, remain)
        for end in range(first + 1, batch.ids.shape[1] + 1):
            logits, cache = next_token_logits(lm, batch.ids[:, end - 1 : end], batch.mask[:, :end], cache)
    except torch.OutOfMemoryError:
        raise
    except Exception:  # a cache that cannot be gone on from fails in its own way; the model is then run without
        return False
    return _relative(logits, run(lm, batch, use_cache=False).logits[:, -1]) <= allowed


def _tokens_of(hidden: Tensor, batch: Batch) -> Tensor:
    return hidden[batch.mask.to(hidden.device) > 0]


def _relative(measured: Tensor, reference: Tensor) -> float:
    at_least = torch.promote_types(reference.dtype, torch.float32)
    measured, reference = measured.to(at_least), reference.to(measured.device, at_least)
    return float((measured - reference).norm() / reference.norm().clamp_min(1e-30))
