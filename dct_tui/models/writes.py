"""Which modules write to the residual stream: found by measuring, block by block, not by name.

A block's change of the stream is the sum of what its attention and its MLP write (after a post-norm, where there is
one). The modules whose outputs add up to that change are the ones that write it, whatever a family calls them, and
whether the MLP is one matrix, a sum over experts or a state-space mixer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor, nn

from ..errors import DctError
from .anatomy import first_tensor
from .loading import LanguageModel
from .running import run
from .slices import split_hidden
from .templating import Batch

MOST_WRITERS = 3
EXACT = {torch.float32: 1e-4, torch.float64: 1e-9}
LOW_PRECISION = 2e-2
SCALED = 1e-3


@dataclass
class _Trace:
    """One block's states in a forward pass: h before, h after, and what each module inside returned."""

    before: Tensor | None = None
    after: Tensor | None = None
    outputs: list[tuple[nn.Module, Tensor]] | None = None


@torch.no_grad()
def find_writers(lm: LanguageModel, batch: Batch) -> list[tuple[nn.Module, ...]]:
    """The modules that write to the residual stream, for each block.

    Args:
        lm: the model.
        batch: some prompts to measure on.

    Raises:
        DctError: a block whose change is not a sum of modules' outputs (it rescales or normalises the stream itself).
    """
    traces = [_Trace(outputs=[]) for _ in lm.anatomy.blocks]
    handles = [
        handle for block, trace in zip(lm.anatomy.blocks, traces, strict=True) for handle in _watch(block, trace)
    ]
    try:
        run(lm, batch, use_cache=False)
    finally:
        for handle in handles:
            handle.remove()
    tolerance = EXACT.get(lm.dtype, LOW_PRECISION)
    return [_explain(trace, index, lm, tolerance) for index, trace in enumerate(traces)]


def _watch(block: nn.Module, trace: _Trace) -> Iterator[torch.utils.hooks.RemovableHandle]:
    def before(module: nn.Module, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        trace.before = split_hidden(args, kwargs)[0].detach().clone()

    def after(module: nn.Module, args: object, output: Tensor | tuple[Tensor, ...]) -> None:
        trace.after = first_tensor(output).detach().clone()

    def inside(module: nn.Module, args: object, output: object) -> None:
        hidden = output[0] if isinstance(output, tuple) and output else output
        if isinstance(hidden, Tensor) and hidden.is_floating_point() and trace.outputs is not None:
            trace.outputs.append((module, hidden.detach().clone()))

    yield block.register_forward_pre_hook(before, with_kwargs=True)
    yield block.register_forward_hook(after)
    for module in block.modules():
        if module is not block:
            yield module.register_forward_hook(inside)


def _explain(trace: _Trace, index: int, lm: LanguageModel, tolerance: float) -> tuple[nn.Module, ...]:
    assert trace.before is not None and trace.after is not None and trace.outputs is not None
    before, after = trace.before.double(), trace.after.double()
    change = after - before
    candidates = [
        (module, output.reshape(change.shape).double())
        for module, output in trace.outputs
        if output.numel() == change.numel() and output.shape[-1] == change.shape[-1]
    ]
    allowed = tolerance * float(change.norm() if lm.dtype in EXACT else after.norm())
    for count in range(1, MOST_WRITERS + 1):
        best: tuple[float, tuple[nn.Module, ...]] | None = None
        for chosen in combinations(candidates, count):
            total = sum((output for _, output in chosen), torch.zeros_like(change))
            error = _distance(change, total)
            if error <= allowed and (best is None or error < best[0]):
                best = (error, tuple(module for module, _ in chosen))
        if best is not None:
            return best[1]
    raise DctError(
        f"what block {index} of {lm.source.name} writes is not a sum of its modules' outputs",
        "ablate from the stream instead: --ablation stream",
    )


def _distance(change: Tensor, total: Tensor) -> float:
    """How far a change is from a multiple of a sum: some families scale what they write by one constant."""
    squared = float((total * total).sum())
    scale = float((change * total).sum()) / squared if squared else 0.0
    return float((change - (1.0 if abs(scale - 1) < SCALED else scale) * total).norm())
