"""A slice of a model: blocks s … t−1, run again on changed hidden states by replaying recorded calls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .anatomy import first_tensor
from .language_model import LanguageModel
from .layer_range import BLOCKS_IN_SLICE, LayerRange, default_range
from .running import run
from .templating import Batch

__all__ = [
    "BLOCKS_IN_SLICE",
    "BlockCall",
    "LayerRange",
    "RecordedSlice",
    "default_range",
    "record_slice",
    "split_hidden",
]


@dataclass(frozen=True)
class BlockCall:
    """What a block was called with besides the hidden state."""

    block: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def __call__(self, hidden: Tensor) -> Tensor:
        return first_tensor(self.block(hidden, *self.args, **self.kwargs))


@dataclass(frozen=True)
class RecordedSlice:
    """The calls of a slice's blocks on one batch, and the states they were recorded with.

    Attributes:
        calls: one a block, in order.
        entering: h_s, rows × tokens × d.
        leaving: h_t, rows × tokens × d.
    """

    calls: tuple[BlockCall, ...]
    entering: Tensor
    leaving: Tensor

    def replay(self, hidden: Tensor) -> Tensor:
        """h_t for another h_s; rows × tokens × d."""
        for call in self.calls:
            hidden = call(hidden)
        return hidden


class _Enough(Exception):  # noqa: N818
    """Ends a forward pass once the slice has been recorded."""


@torch.no_grad()
def record_slice(lm: LanguageModel, batch: Batch, layers: LayerRange) -> RecordedSlice:
    """Records blocks s … t−1 on a batch; blocks above are not run.

    Masks, rotary embeddings and whatever else a family hands to its blocks are recorded block by block, at the very
    number of rows at which they will be replayed: families differ in all of it.
    """
    calls: dict[int, BlockCall] = {}
    states: dict[str, Tensor] = {}

    def keep_call(index: int, block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        hidden, others, named = split_hidden(args, kwargs)
        if index == layers.source:
            states["entering"] = hidden.detach().clone()
        calls[index] = BlockCall(block, others, named)

    def keep_result(output: Any) -> None:
        states["leaving"] = first_tensor(output).detach().clone()
        raise _Enough

    with _recording(lm, layers, keep_call, keep_result), suppress(_Enough):
        run(lm, batch, use_cache=False)
    return RecordedSlice(tuple(calls[i] for i in sorted(calls)), states["entering"], states["leaving"])


def split_hidden(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Tensor, tuple[Any, ...], dict[str, Any]]:
    """The hidden state of a block's call, its other arguments, and its other named arguments."""
    if args:
        return args[0], args[1:], kwargs
    rest = dict(kwargs)
    return rest.pop("hidden_states"), (), rest


@contextmanager
def _recording(lm: LanguageModel, layers: LayerRange, keep_call: Any, keep_result: Any) -> Iterator[None]:
    blocks = lm.anatomy.blocks
    handles = [
        blocks[i].register_forward_pre_hook(
            lambda block, args, kwargs, i=i: keep_call(i, block, args, kwargs), with_kwargs=True
        )
        for i in range(layers.source, layers.target)
    ]
    handles.append(blocks[layers.target - 1].register_forward_hook(lambda block, args, output: keep_result(output)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
