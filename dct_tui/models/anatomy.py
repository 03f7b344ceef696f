"""Where a model keeps its blocks, its final norm and its unembedding: measured on a short text, by no list of names."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from ..errors import DctError

PROBE_TOKENS = 6
REFUSAL = "this architecture is not supported: one stack of blocks, each run once, and an output embedding are needed"


@dataclass(frozen=True)
class Anatomy:
    """The parts of a decoder that slices and interventions act on.

    Attributes:
        blocks: the decoder's blocks, in order.
        width: d, the width of the residual stream.
        final_norm: the module that takes what the last block gives, if it is not the unembedding.
        unembedding: the output embedding, vocabulary × d.
    """

    blocks: nn.ModuleList
    width: int
    final_norm: nn.Module | None
    unembedding: nn.Module

    @property
    def depth(self) -> int:
        """The number of blocks."""
        return len(self.blocks)


@dataclass(frozen=True)
class _Call:
    """One call of a module outside the blocks, or of a block: its hidden state before and after."""

    module: nn.Module
    before: Tensor | None
    after: Tensor | None


def find_anatomy(model: PreTrainedModel) -> Anatomy:
    """Runs a few tokens and sees which stack of blocks they pass through, and what takes the last block's output.

    Raises:
        DctError: a model that keeps its blocks where they cannot be found, or is no single stream of hidden states.
    """
    text_config = model.config.get_text_config()
    depth, width = int(text_config.num_hidden_layers), int(text_config.hidden_size)
    stacks = _outermost([m for m in model.modules() if isinstance(m, nn.ModuleList) and len(m) == depth])
    unembedding = model.get_output_embeddings()
    calls = _watch(model, stacks)
    times = Counter(call.module for call in calls)
    used = [stack for stack in stacks if all(times[block] == 1 for block in stack)]
    if len(used) != 1 or unembedding is None:
        raise DctError(f"the blocks of a {type(model).__name__} cannot be told apart", REFUSAL)
    last = next(call.after for call in calls if call.module is used[0][-1])
    if last is None or last.shape != (1, PROBE_TOKENS, width):
        raise DctError(f"the blocks of a {type(model).__name__} do not pass on one hidden state a token", REFUSAL)
    return Anatomy(used[0], width, _norm_of(last, calls, unembedding), unembedding)


def first_tensor(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    """The hidden state in what a module returned: most blocks return a tensor, some a sequence that starts with it."""
    return output if isinstance(output, Tensor) else output[0]


def with_first_tensor(output: Tensor | tuple[Tensor, ...], hidden: Tensor) -> Tensor | tuple[Tensor, ...]:
    """The same output with another hidden state."""
    return hidden if isinstance(output, Tensor) else (hidden, *output[1:])


def _outermost(stacks: list[nn.ModuleList]) -> list[nn.ModuleList]:
    return [s for s in stacks if not any(s is inner for other in stacks if other is not s for inner in other.modules())]


@torch.no_grad()
def _watch(model: PreTrainedModel, stacks: list[nn.ModuleList]) -> list[_Call]:
    """All calls of blocks and of modules outside them, as a short text passes through."""
    calls: list[_Call] = []

    def note(module: nn.Module, args: Any, kwargs: dict[str, Any], output: Any) -> None:
        before = args[0] if args else kwargs.get("hidden_states")
        calls.append(
            _Call(module, _copy(before), _copy(output[0] if isinstance(output, tuple | list) and output else output))
        )

    within = {inner for stack in stacks for block in stack for inner in block.modules() if inner is not block}
    handles = [m.register_forward_hook(note, with_kwargs=True) for m in model.modules() if m not in within]
    embedding = next(model.get_input_embeddings().parameters())
    ids = (torch.arange(PROBE_TOKENS, device=embedding.device) + 1) % len(embedding)
    try:
        model(input_ids=ids[None], attention_mask=torch.ones_like(ids)[None], use_cache=False)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # a forward that needs more than text fails in its own way
        raise DctError(f"a {type(model).__name__} cannot be run on text alone: {error}", REFUSAL) from error
    finally:
        for handle in handles:
            handle.remove()
    return calls


def _copy(value: Any) -> Tensor | None:
    # Copied: what comes after may change it in place.
    return value.detach().clone() if isinstance(value, Tensor) else None


def _norm_of(last: Tensor, calls: list[_Call], unembedding: nn.Module) -> nn.Module | None:
    """What takes the last block's output on its way to the unembedding."""
    for call in calls:
        if call.before is None or call.after is None or call.module is unembedding:
            continue
        takes_it = call.before.shape == last.shape and torch.equal(call.before.to(last.device), last)
        if takes_it and call.after.shape == last.shape:
            return call.module
    return None
