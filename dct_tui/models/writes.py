"""Which modules write to the residual stream: found by measuring, block by block, not by name.

A block's change of the stream is the sum of what its attention and its MLP write (after a post-norm, where there is
one), times a constant in some families. The modules whose outputs add up to that change are candidates, whatever a
family calls them; a candidate is believed when other outputs, put in place of its own, arrive in the stream as is.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only
from torch.utils.hooks import RemovableHandle

from ..errors import DctError
from .anatomy import first_tensor, with_first_tensor
from .language_model import LanguageModel
from .running import run
from .slices import BlockCall, split_hidden
from .templating import as_messages, encode, pad

TEXT = "The quick brown fox jumps over the lazy dog."
PROBE_TOKENS = 12
MOST_WRITERS = 3
EXPLAINED = 0.3  # share of a change that a candidate may leave open before it is tried
TRIED = 4
ROUNDINGS = 4.0  # how many roundings of the stream a believed candidate may be off, root mean square

Writers = tuple[nn.Module, ...]

_found: WeakKeyDictionary[nn.Module, list[Writers]] = WeakKeyDictionary()


@dataclass
class _Trace:
    """One call of a block: h before, h after, and what each module inside returned."""

    call: BlockCall
    before: Tensor
    after: Tensor
    outputs: list[tuple[nn.Module, Tensor]]


@torch.no_grad()
def find_writers(lm: LanguageModel) -> list[Writers]:
    """The modules that write to the residual stream, for each block. Measured once for each model.

    Raises:
        DctError: a block whose change is not a sum of modules' outputs (it rescales or normalises the stream itself).
    """
    if lm.model not in _found:
        ids = encode(lm, as_messages(TEXT))[-PROBE_TOKENS:]
        _found[lm.model] = [_explain(lm, index, *call) for index, call in enumerate(block_calls(lm, ids))]
    return _found[lm.model]


def block_calls(lm: LanguageModel, ids: list[int]) -> list[tuple[BlockCall, Tensor]]:
    """The calls of all blocks on a text, with the hidden states that enter them."""
    calls: list[tuple[BlockCall, Tensor]] = []

    def keep(block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        hidden, rest, named = split_hidden(args, kwargs)
        calls.append((BlockCall(block, rest, named), hidden.detach().clone()))

    handles = [block.register_forward_pre_hook(keep, with_kwargs=True) for block in lm.anatomy.blocks]
    try:
        run(lm, pad(lm, [ids]), use_cache=False)
    finally:
        _remove(handles)
    return calls


def _explain(lm: LanguageModel, index: int, call: BlockCall, before: Tensor) -> Writers:
    fine = in_single_precision(lm, call)
    if fine is not call:
        before = before.float()
    trace = _traced(fine, before)
    for candidate in _candidates(trace):
        if _believed(trace, candidate):
            names = {module: name for name, module in fine.block.named_modules()}
            return tuple(call.block.get_submodule(names[module]) for module in candidate)
    raise DctError(
        f"what block {index} of {lm.source.name} writes is not a sum of its modules' outputs",
        "ablate from the stream instead: --ablation stream",
    )


def in_single_precision(lm: LanguageModel, call: BlockCall) -> BlockCall:
    """The same call of a float32 copy: rounding to 16 bits hides what weak modules write.

    Quantised blocks, and those that do not fit twice, are measured as they are.
    """
    if lm.dtype not in (torch.bfloat16, torch.float16) or getattr(lm.model, "hf_quantizer", None) is not None:
        return call
    try:
        block = copy.deepcopy(call.block).float()
    except torch.OutOfMemoryError:
        return call
    args, kwargs = tree_map_only(Tensor, lambda t: t.float() if t.is_floating_point() else t, (call.args, call.kwargs))
    return BlockCall(block, args, kwargs)


def _traced(call: BlockCall, before: Tensor) -> _Trace:
    outputs: list[tuple[nn.Module, Tensor]] = []

    def keep(module: nn.Module, args: object, output: object) -> None:
        hidden = output[0] if isinstance(output, tuple) and output else output
        if isinstance(hidden, Tensor) and hidden.is_floating_point():
            # A copy: what comes after may change it in place.
            outputs.append((module, hidden.detach().clone()))

    handles = [m.register_forward_hook(keep) for m in call.block.modules() if m is not call.block]
    try:
        after = call(before.clone())
    finally:
        _remove(handles)
    return _Trace(call, before, after.detach().clone(), outputs)


def _candidates(trace: _Trace) -> Iterator[Writers]:
    """Sets of modules whose outputs nearly add up to the block's change, fewer modules and smaller errors first."""
    before, after = trace.before.float(), trace.after.float()
    # In units of the stream's own size at each token and channel: attention sinks would drown all else.
    unit = before.abs() + after.abs() + after.norm(dim=-1, keepdim=True) / after.shape[-1] ** 0.5
    change = ((after - before) / unit).flatten()
    fitting = [
        (module, (output.reshape(after.shape).to(unit) / unit).flatten())
        for module, output in trace.outputs
        if output.numel() == after.numel() and output.shape[-1] == after.shape[-1]
    ]
    if not fitting:
        return
    # All sums are judged from one table of inner products: thousands of sets cost no more than a few.
    outputs = torch.stack([output for _, output in fitting])
    table, along = (outputs @ outputs.T).double().cpu(), (outputs @ change).double().cpu()
    whole = float(change.double().cpu() @ change.double().cpu())
    for count in range(1, min(MOST_WRITERS, len(fitting)) + 1):
        ranked = []
        for chosen in combinations(range(len(fitting)), count):
            square, product = float(table[list(chosen)][:, list(chosen)].sum()), float(along[list(chosen)].sum())
            error = whole - product**2 / square if square > 0 else whole
            if error <= EXPLAINED**2 * whole:
                ranked.append((error, chosen))
        for _, chosen in sorted(ranked)[:TRIED]:
            yield tuple(fitting[place][0] for place in chosen)


def _believed(trace: _Trace, candidate: Writers) -> bool:
    """Whether random outputs put in place of the candidate's own arrive in the stream as they are, added up."""
    before = trace.before
    size = before.float().norm(dim=-1, keepdim=True) / before.shape[-1] ** 0.5
    generator = torch.Generator().manual_seed(1)
    draws = [(torch.randn(before.shape, generator=generator).to(size) * size).to(before.dtype) for _ in candidate]
    handles = [module.register_forward_hook(_instead(draw)) for module, draw in zip(candidate, draws, strict=True)]
    try:
        after = trace.call(before.clone()).float()
    finally:
        _remove(handles)
    change, total = after - before.float(), torch.stack(draws).float().sum(dim=0)
    scale = float((change * total).sum() / (total * total).sum())
    rounding = torch.finfo(before.dtype).eps * (before.float().abs() + after.abs() + size)
    return bool(((change - scale * total) / rounding).square().mean().sqrt() <= ROUNDINGS)


def _instead(draw: Tensor) -> Any:
    # A copy: some blocks add to what a module returned in place.
    def replace(module: nn.Module, args: object, output: Any) -> Any:
        hidden = first_tensor(output)
        return with_first_tensor(output, draw.reshape(hidden.shape).to(hidden, copy=True))

    return replace


def _remove(handles: Sequence[RemovableHandle]) -> None:
    for handle in handles:
        handle.remove()
