"""Interventions as edits of weights, for as long as a `with` block lasts: what is saved within needs no hooks.

Ablating what blocks write is a projection of the weights that write. A steering vector is added by a bias whose change
arrives unchanged in what leaves the block before; where that block has none, its family's config may grant one.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import DctError
from .interventions import Ablation, Steering, span_of
from .language_model import LanguageModel
from .slices import BlockCall
from .templating import as_messages, encode
from .weights import find_written_weights, without
from .writes import PROBE_TOKENS, TEXT, block_calls, in_single_precision

ARRIVES = 1e-4  # how far what leaves the block may be from what was added, relative to it
INSTEAD = "export it as gguf, steering-vectors or python, which act at run time"


@dataclass(frozen=True)
class BiasPlace:
    """Where a steering vector can be added by weights.

    Attributes:
        module: the name of the module with the bias.
        bias: the bias's name in it.
        gain: what arrives in the stream of one unit of it.
        flag: the setting of the config that gives the module its bias; None where it has one.
        granted: the names of all modules that get one by that setting, with the bias's width.
    """

    module: str
    bias: str
    gain: float
    flag: str | None = None
    granted: tuple[tuple[str, int], ...] = ()


def bases_by_layer(lm: LanguageModel, ablations: Sequence[Ablation]) -> dict[int, Tensor]:
    """For each block an orthonormal basis of what is ablated there, d × k in float64.

    Raises:
        DctError: an ablation of the stream, which is no edit of weights.
    """
    directions: dict[int, list[Tensor]] = defaultdict(list)
    for one in ablations:
        if one.kind != "writes":
            raise DctError(
                "projecting the residual stream itself is no edit of weights",
                "ablate what blocks write: --ablation writes",
            )
        for layer in range(lm.depth) if one.layers is None else one.layers:
            directions[layer].append(one.direction)
    return {layer: span_of(several).T for layer, several in directions.items()}


@contextmanager
def edited_weights(lm: LanguageModel, ablations: Sequence[Ablation], steering: Sequence[Steering]) -> Iterator[None]:
    """The model with these edits in its weights and its config; afterwards it is what it was, to the bit.

    Raises:
        DctError: an edit that the architecture has no exact place for, quantised weights, or weights that are not in
            memory.
    """
    if any(parameter.is_meta for parameter in lm.model.parameters()):
        raise DctError("some of the weights are not in memory", "open the model without --device-map, or on the CPU")
    bases = bases_by_layer(lm, ablations)
    weights = find_written_weights(lm, sorted(bases)) if bases else {}
    added: dict[int, Tensor] = {}
    for one in steering:
        added[one.layer] = added.get(one.layer, torch.zeros(lm.width, dtype=torch.float64)) + one.vector.double().cpu()
    places = {layer: find_bias_place(lm, layer) for layer in added}
    with torch.no_grad(), ExitStack() as undo:
        for layer, found in weights.items():
            for weight in found:
                parameter = weight.of(lm)
                _replace(undo, parameter, without(parameter, bases[layer], weight.axis))
        for layer, place in places.items():
            if place.flag is not None:
                _grant(undo, lm, place)
            bias = lm.model.get_parameter(f"{place.module}.{place.bias}")
            precise = bias.double() + (added[layer] / place.gain).to(bias.device)
            if not bool(precise.to(bias.dtype).isfinite().all()):
                raise DctError(f"the vector is beyond what the model's {bias.dtype} holds", "give a smaller strength")
            _replace(undo, bias, precise)
        yield


def find_bias_place(lm: LanguageModel, layer: int) -> BiasPlace:
    """Where a vector for the input of this block can be added by a bias.

    Raises:
        DctError: there is none.
    """
    if layer == 0:
        raise DctError("what enters block 0 is the embedding, which has no bias", INSTEAD)
    before = layer - 1
    ids = encode(lm, as_messages(TEXT))[-PROBE_TOKENS:]
    call, hidden = block_calls(lm, ids)[before]
    prefix = next(name for name, module in lm.model.named_modules() if module is call.block)
    fine = in_single_precision(lm, call)
    hidden = hidden if fine is call else hidden.float()
    for name, module in fine.block.named_modules():
        for bias in [name for name, p in module.named_parameters(recurse=False) if p.shape == (lm.width,)]:
            gain = _gain(fine, hidden, module, bias)
            if gain:
                return BiasPlace(f"{prefix}.{name}", bias, gain)
    for name, module in fine.block.named_modules():
        if not isinstance(module, nn.Linear) or module.bias is not None or module.out_features != lm.width:
            continue
        module.bias = nn.Parameter(torch.zeros(lm.width, device=hidden.device, dtype=hidden.dtype), False)
        try:
            gain = _gain(fine, hidden, module, "bias")
        finally:
            module.register_parameter("bias", None)
        if gain and (granted := _granted(lm, f"{prefix}.{name}")):
            flag, modules = granted
            return BiasPlace(f"{prefix}.{name}", "bias", gain, flag, modules)
    raise DctError(
        f"block {before} of {lm.source.name} has no bias through which a vector would enter block {layer} unchanged, "
        f"and a {type(lm.model).__name__} has no setting that gives it one",
        INSTEAD,
    )


@torch.no_grad()
def _gain(call: BlockCall, hidden: Tensor, module: nn.Module, name: str) -> float:
    """What arrives in what leaves the block of one unit of this parameter; 0 where something else arrives."""
    parameter: nn.Parameter = getattr(module, name)
    size = hidden.float().norm(dim=-1).median() / hidden.shape[-1] ** 0.5
    draw = torch.randn(len(parameter), generator=torch.Generator().manual_seed(4)).to(parameter) * size.to(parameter)
    plain = call(hidden.clone())
    original = parameter.clone()
    parameter.add_(draw)
    try:
        change = (call(hidden.clone()) - plain).reshape(-1, len(draw))
    finally:
        parameter.copy_(original)
    gain = float((change @ draw).mean() / (draw @ draw))
    error = (change - gain * draw).norm() / change.norm().clamp_min(1e-30)
    return gain if abs(gain) > ARRIVES and float(error) <= ARRIVES else 0.0


def _granted(lm: LanguageModel, module: str) -> tuple[str, tuple[tuple[str, int], ...]] | None:
    """The setting that gives this module a bias and other modules at most biases too, with all of them."""
    ours = set(lm.model.state_dict())
    text_config = lm.model.config.get_text_config()
    for flag, value in text_config.to_dict().items():
        if "bias" not in flag or value is not False:
            continue
        config = copy.deepcopy(lm.model.config)
        setattr(config.get_text_config(), flag, True)
        try:
            with torch.device("meta"):
                theirs = type(lm.model)(config).state_dict()
        except Exception:  # a setting that the family does not mean by itself fails in its own way
            continue
        new = {name: tensor for name, tensor in theirs.items() if name not in ours}
        if not ours <= theirs.keys() or f"{module}.bias" not in new:
            continue
        modules = {name.removesuffix(".bias"): len(tensor) for name, tensor in new.items() if name.endswith(".bias")}
        if len(modules) == len(new) and all(isinstance(lm.model.get_submodule(name), nn.Linear) for name in modules):
            return flag, tuple(modules.items())
    return None


def _grant(undo: ExitStack, lm: LanguageModel, place: BiasPlace) -> None:
    """Gives modules biases of zero, and says so in the config."""
    config = lm.model.config.get_text_config()
    assert place.flag is not None
    undo.callback(setattr, config, place.flag, getattr(config, place.flag))
    setattr(config, place.flag, True)
    for name, width in place.granted:
        module = lm.model.get_submodule(name)
        if module.bias is None:
            weight = module.weight
            zeros = torch.zeros(width, device=weight.device, dtype=weight.dtype)
            module.bias = nn.Parameter(zeros, requires_grad=False)
            undo.callback(module.register_parameter, "bias", None)


def _replace(undo: ExitStack, parameter: nn.Parameter, values: Tensor) -> None:
    # Kept on the CPU: the device may have no room for the model's weights once more.
    original = parameter.detach().cpu().clone()
    undo.callback(lambda: parameter.copy_(original))
    parameter.copy_(values)
