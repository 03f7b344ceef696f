"""The weights whose outputs go into the residual stream: found by changing them and watching what is written.

A weight writes to the stream along one of its axes where a change along a direction of that axis changes what is
written along that direction only. Projecting a direction out of all such weights, biases included, projects it out of
what a block writes, and that too is measured: a norm after them would undo it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only
from transformers.pytorch_utils import Conv1D

from ..errors import DctError
from .anatomy import first_tensor
from .language_model import LanguageModel
from .slices import BlockCall
from .templating import as_messages, encode
from .writes import PROBE_TOKENS, TEXT, block_calls, find_writers, in_single_precision

ASIDE = 1e-3  # how much of a change may lie beside the direction, relative to the change
SEEN = 1e-4  # the least change that is one, relative to what is written
PROJECTED = 3e-5  # how far what edited weights write may be from what is meant, relative to its size

WeightKind: TypeAlias = Literal["matrix", "experts", "bias"]

_found: WeakKeyDictionary[nn.Module, dict[int, tuple[WrittenWeight, ...]]] = WeakKeyDictionary()


@dataclass(frozen=True)
class WrittenWeight:
    """A weight that writes to the stream.

    Attributes:
        name: the parameter's, in the whole model.
        module: the name of the module that has it.
        axis: the axis of width d along which it writes.
        kind: `matrix`: of a linear layer, of either orientation; `experts`: a stack of matrices; `bias`: added to an
            output, alone or one for each expert.
    """

    name: str
    module: str
    axis: int
    kind: WeightKind

    def of(self, lm: LanguageModel) -> nn.Parameter:
        """The parameter itself."""
        return lm.model.get_parameter(self.name)


def find_written_weights(
    lm: LanguageModel, layers: Sequence[int] | None = None
) -> dict[int, tuple[WrittenWeight, ...]]:
    """For each of these blocks (None for all) the weights that write to the stream. Measured once for each model.

    Raises:
        DctError: quantised weights, a block whose change is no sum of modules' outputs, or one where no edit of weights
            is the projection of what is written (post-norms, gates).
    """
    if getattr(lm.model, "hf_quantizer", None) is not None:
        raise DctError(f"the weights of {lm.source.name} are quantised: they cannot be edited exactly", _INSTEAD)
    wanted = range(lm.depth) if layers is None else layers
    known = _found.setdefault(lm.model, {})
    if missing := [layer for layer in wanted if layer not in known]:
        writers = find_writers(lm)
        names = {parameter: name for name, parameter in lm.model.named_parameters()}
        shared = _shared(lm.model)
        ids = encode(lm, as_messages(TEXT))[-PROBE_TOKENS:]
        for layer, (call, before) in enumerate(block_calls(lm, ids)):
            if layer in missing:
                known[layer] = _measure(lm, layer, call, before, writers[layer], names)
                for weight in known[layer]:
                    if weight.of(lm) in shared:
                        del known[layer]
                        raise DctError(f"{weight.name} is used in several places: it cannot be edited alone", _INSTEAD)
    return {layer: known[layer] for layer in wanted}


_INSTEAD = "export it as python, which acts by hooks"


def _shared(model: nn.Module) -> set[nn.Parameter]:
    seen: set[nn.Parameter] = set()
    twice: set[nn.Parameter] = set()
    for _, parameter in model.named_parameters(remove_duplicate=False):
        (twice if parameter in seen else seen).add(parameter)
    return twice


@torch.no_grad()
def _measure(
    lm: LanguageModel,
    layer: int,
    call: BlockCall,
    before: Tensor,
    writers: Sequence[nn.Module],
    names: dict[nn.Parameter, str],
) -> tuple[WrittenWeight, ...]:
    fine = in_single_precision(lm, call)
    before = before if fine is call else before.float()
    # The copy's modules and parameters stand where the block's own do.
    inside = {module: name for name, module in call.block.named_modules()}
    prefix = next(name for name, module in lm.model.named_modules() if module is call.block)
    found: list[WrittenWeight] = []
    for writer in writers:
        for path in _writing_the_same(fine, before, inside[writer]):
            probe = _Probe(fine, before, fine.block.get_submodule(path))
            weights = list(probe.weights(lm.width))
            if probe.is_projected_by(weights):
                break
        else:
            raise DctError(
                f"block {layer} of {lm.source.name} writes through a {type(writer).__name__} ({inside[writer]}), and "
                "no edit of weights is the same as projecting out what it writes",
                _INSTEAD,
            )
        for name, axis in weights:
            full = f"{prefix}.{path}.{name}"
            found.append(WrittenWeight(full, full.rpartition(".")[0], axis, _kind(lm, full)))
    return tuple(found)


def _writing_the_same(call: BlockCall, before: Tensor, path: str) -> list[str]:
    """The module at this path, and then others that return the very same: what feeds a dropout, or what wraps it."""
    outputs: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        def hook(module: nn.Module, args: Any, output: Any) -> None:
            hidden = output[0] if isinstance(output, tuple) and output else output
            if isinstance(hidden, Tensor):
                outputs[name] = hidden.detach().clone()

        return hook

    handles = [module.register_forward_hook(keep(name)) for name, module in call.block.named_modules() if name]
    try:
        call(before.clone())
    finally:
        for handle in handles:
            handle.remove()
    written = outputs[path]
    same = [name for name, output in outputs.items() if name != path and torch.equal(output, written)]
    return [path, *same]


def _kind(lm: LanguageModel, name: str) -> WeightKind:
    parameter = lm.model.get_parameter(name)
    module, _, last = name.rpartition(".")
    if parameter.ndim == 3:
        return "experts"
    if parameter.ndim == 2 and isinstance(lm.model.get_submodule(module), nn.Linear | Conv1D) and last == "weight":
        return "matrix"
    return "bias" if parameter.ndim == 1 or "bias" in last else "matrix"


class _Probe:
    """One module that writes, called again and again as its block called it."""

    def __init__(self, call: BlockCall, before: Tensor, module: nn.Module) -> None:
        self.module = module
        self.arguments: tuple[Any, ...] = ()

        def keep(module: nn.Module, args: Any, kwargs: Any) -> None:
            self.arguments = tree_map_only(Tensor, lambda tensor: tensor.detach().clone(), (args, kwargs))

        handle = module.register_forward_pre_hook(keep, with_kwargs=True)
        try:
            call(before.clone())
        finally:
            handle.remove()
        self.plain = self.output()
        self.width = self.plain.shape[-1]
        generator = torch.Generator().manual_seed(2)
        draw = torch.randn(self.width, generator=generator, dtype=torch.float64)
        self.unit = (draw / draw.norm()).to(self.plain)

    def output(self) -> Tensor:
        """What it writes, tokens × d."""
        # Copies: some modules work on what they are given in place.
        args, kwargs = tree_map_only(Tensor, Tensor.clone, self.arguments)
        hidden = first_tensor(self.module(*args, **kwargs))
        return hidden.detach().reshape(-1, hidden.shape[-1]).clone()

    def weights(self, width: int) -> Iterator[tuple[str, int]]:
        """Names and axes of what writes; those of experts that no token met go with those that one did."""
        written: list[tuple[str, int]] = []
        silent: list[tuple[str, int]] = []
        for name, parameter in self.module.named_parameters():
            for axis in range(parameter.ndim):
                if parameter.shape[axis] == width and (parameter.ndim < 3 or axis > 0):
                    effect = self._effect(parameter, axis)
                    if effect is None:
                        silent.append((name, axis))
                    elif effect:
                        written.append((name, axis))
        patterns = {(re.sub(r"\d+", "#", name), axis) for name, axis in written}
        yield from written
        yield from ((name, axis) for name, axis in silent if (re.sub(r"\d+", "#", name), axis) in patterns)

    def _effect(self, parameter: nn.Parameter, axis: int) -> bool | None:
        """Whether a change along the direction at this axis shows along it alone; None where nothing shows."""
        others = [size for place, size in enumerate(parameter.shape) if place != axis]
        draw = torch.randn(others, generator=torch.Generator().manual_seed(3)).to(parameter)
        size = parameter.std().clamp_min(1e-3) if parameter.numel() > 1 else 1.0
        step = torch.tensordot(draw * size, self.unit.to(parameter), dims=0).movedim(-1, axis) * self.width**0.5
        change = self._under(parameter, parameter + step) - self.plain
        if float(change.norm()) == 0:
            return None
        beside = change - (change @ self.unit)[:, None] * self.unit
        return bool(change.norm() > SEEN * self.plain.norm() and beside.norm() <= ASIDE * change.norm())

    def is_projected_by(self, weights: Sequence[tuple[str, int]]) -> bool:
        """Whether what is written loses the direction, and nothing else, when all these weights lose it."""
        kept = [(self.module.get_parameter(name), axis) for name, axis in weights]
        originals = [parameter.clone() for parameter, _ in kept]
        for parameter, axis in kept:
            parameter.copy_(without(parameter, self.unit[:, None], axis))
        try:
            edited = self.output()
        finally:
            for (parameter, _), original in zip(kept, originals, strict=True):
                parameter.copy_(original)
        meant = self.plain - (self.plain @ self.unit)[:, None] * self.unit
        return bool((edited - meant).norm() <= PROJECTED * self.plain.norm())

    def _under(self, parameter: nn.Parameter, values: Tensor) -> Tensor:
        original = parameter.clone()
        parameter.copy_(values)
        try:
            return self.output()
        finally:
            parameter.copy_(original)


def without(weight: Tensor, basis: Tensor, axis: int) -> Tensor:
    """The weight with the span of orthonormal columns (d × k) projected out of one of its axes; in float32 at least."""
    precise = weight.detach().to(torch.promote_types(weight.dtype, torch.float32)).movedim(axis, -1)
    basis = basis.to(precise)
    return (precise - (precise @ basis) @ basis.T).movedim(-1, axis)
