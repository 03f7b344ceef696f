"""What a family's model computes, by other means: block forwards wrapped by hand, one unpadded prompt at a time."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

Edit = Callable[[Tensor], Tensor]


@dataclass
class Seen:
    """The hidden states of one forward pass, by block: as they reach the block's own code, and as they leave it."""

    entering: dict[int, Tensor] = field(default_factory=dict)
    leaving: dict[int, Tensor] = field(default_factory=dict)


@contextmanager
def rewritten(
    blocks: Sequence[nn.Module], enter: Mapping[int, Edit] | None = None, leave: Mapping[int, Edit] | None = None
) -> Iterator[Seen]:
    """Blocks whose `forward` is wrapped: hidden states are seen, and edited before or after a block's own code."""
    seen = Seen()
    for index, block in enumerate(blocks):
        block.forward = _wrap(block.forward, index, seen, (enter or {}).get(index), (leave or {}).get(index))
    try:
        yield seen
    finally:
        for block in blocks:
            del block.forward


def _wrap(forward: Any, index: int, seen: Seen, enter: Edit | None, leave: Edit | None) -> Any:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        hidden = args[0] if args else kwargs["hidden_states"]
        if enter:
            hidden = enter(hidden)
        seen.entering[index] = hidden.detach().clone()
        output = forward(hidden, *args[1:], **kwargs) if args else forward(**{**kwargs, "hidden_states": hidden})
        whole = isinstance(output, Tensor)
        after = output if whole else output[0]
        if leave:
            after = leave(after)
        seen.leaving[index] = after.detach().clone()
        return after if whole else (after, *output[1:])

    return wrapped


@torch.no_grad()
def forward(model: PreTrainedModel, ids: Sequence[int]) -> Tensor:
    """Logits of one prompt, tokens × vocabulary."""
    logits: Tensor = model(input_ids=torch.tensor([list(ids)]), use_cache=False).logits[0]
    return logits


def greedy(model: PreTrainedModel, ids: Sequence[int], count: int, ends: set[int]) -> tuple[int, ...]:
    """The likeliest tokens, the whole text run again for each."""
    tokens = list(ids)
    for _ in range(count):
        token = int(forward(model, tokens)[-1].argmax())
        if token in ends:
            break
        tokens.append(token)
    return tuple(tokens[len(ids) :])


def without(direction: Tensor) -> Edit:
    """h ↦ (I − wwᵀ)h."""
    unit = direction / direction.norm()
    return lambda hidden: hidden - (hidden @ unit)[..., None] * unit


def plus(vector: Tensor) -> Edit:
    """h ↦ h + v."""
    return lambda hidden: hidden + vector


@torch.no_grad()
def edited_copy(model: PreTrainedModel, matrices: Sequence[str], direction: Tensor, blocks: str) -> PreTrainedModel:
    """A copy with W ← (I − wwᵀ)W and b ← (I − wwᵀ)b in the matrices of those names inside the blocks."""
    twin = copy.deepcopy(model)
    unit = direction / direction.norm()
    for name, module in twin.named_modules():
        if not name.startswith(blocks) or name.rsplit(".", 1)[-1] not in matrices:
            continue
        if isinstance(module, Conv1D):
            module.weight.sub_((module.weight @ unit)[:, None] * unit)
        elif isinstance(module, nn.Linear):
            module.weight.sub_(unit[:, None] * (unit @ module.weight))
        if getattr(module, "bias", None) is not None:
            module.bias.sub_((module.bias @ unit) * unit)
    return twin


def relative(measured: Tensor, reference: Tensor) -> float:
    """‖measured − reference‖ / ‖reference‖."""
    return float((measured - reference).norm() / reference.norm().clamp_min(1e-30))
