"""Exports with the model open: adapters and models whose weights do what the vectors do."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import DctError
from ..export import ExportContext, Exported, ExportOptions, ExportVector, find_format, write_exports
from ..export.lora import LoraFactor, adapter_files
from ..models.editing import bases_by_layer, edited_weights
from ..models.interventions import Ablation, Steering
from ..models.language_model import LanguageModel
from ..models.weights import WrittenWeight, find_written_weights, without
from ..models.writes import find_writers
from ..sessions.atomic import write_atomic

__all__ = ["export_with_model", "split", "with_places"]

NO_BIAS = 1e-6  # of a bias's length, how much of it may lie along what is ablated
TOKENIZER_FILES = (
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "tokenizer.model"),
    *("vocab.json", "merges.txt", "vocab.txt", "spiece.model", "tekken.json", "chat_template.jinja"),
    *("chat_template.json", "preprocessor_config.json", "processor_config.json"),
)


def export_with_model(
    lm: LanguageModel,
    format_name: str,
    vectors: Sequence[ExportVector],
    context: ExportContext,
    destination: Path,
    options: ExportOptions | None = None,
    *,
    check: Callable[[], None] = lambda: None,
) -> list[Exported]:
    """`write_exports` in any format, those that are made from the model's weights too.

    Args:
        check: called now and then, while the model's weights are its own; what it raises ends the export, of which
            nothing is left.

    Raises:
        DctError: as `export_vectors`; an edit that the architecture has no exact place for.
    """
    form = find_format(format_name)
    fill = None
    if form.name == "lora":
        context = with_places(lm, context, vectors)

        def fill(group: Sequence[ExportVector], folder: Path) -> None:
            for name, data in _adapter(lm, group, context, check).items():
                write_atomic(folder / name, data)
    elif form.name == "model":

        def fill(group: Sequence[ExportVector], folder: Path) -> None:
            check()
            _save_edited(lm, group, folder)
            check()
    else:
        context = with_places(lm, context, vectors)
    return write_exports(format_name, vectors, context, destination, options, fill=fill)


def with_places(lm: LanguageModel, context: ExportContext, vectors: Sequence[ExportVector]) -> ExportContext:
    """The context with the names of the model's blocks and, where something is ablated from them, what writes."""
    names = {module: name for name, module in lm.model.named_modules()}
    context = replace(context, blocks=names[lm.anatomy.blocks])
    if any(vector.role == "ablate" and vector.ablation == "writes" for vector in vectors):
        writers = tuple(tuple(names[module] for module in modules) for modules in find_writers(lm))
        context = replace(context, writers=writers)
    return context


def split(lm: LanguageModel, vectors: Sequence[ExportVector]) -> tuple[list[Ablation], list[Steering]]:
    """What the vectors do, as interventions.

    Raises:
        DctError: vectors of another width, or for blocks that the model lacks.
    """
    ablations, steering = [], []
    for vector in vectors:
        layers = (vector.source,) if vector.role == "add" else vector.layers or ()
        if vector.vector.size != lm.width or not all(0 <= layer < lm.depth for layer in layers):
            raise DctError(f"{vector.name} is not of {lm.source.name}: its width or its layers are others")
        if vector.role == "add":
            steering.append(Steering(torch.from_numpy(vector.steering), vector.source))
        else:
            ablations.append(Ablation(torch.from_numpy(vector.vector), vector.ablation, vector.layers))
    return ablations, steering


def _save_edited(lm: LanguageModel, vectors: Sequence[ExportVector], folder: Path) -> None:
    """The model, shard by shard, with its tokenizer's own files."""
    needed = sum(p.numel() * p.element_size() for p in lm.model.parameters())
    if (free := shutil.disk_usage(folder).free) < needed:
        raise DctError(f"the model needs {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free", "make room")
    with edited_weights(lm, *split(lm, vectors)):
        try:
            lm.model.save_pretrained(folder)
        except OSError:
            raise
        except Exception as error:  # a family's own saving fails in ways of its own
            raise DctError(f"transformers cannot save a {type(lm.model).__name__}: {error}") from error
    for name in TOKENIZER_FILES:
        if (lm.source.folder / name).is_file():
            shutil.copyfile(lm.source.folder / name, folder / name)
    if lm.trusts_remote_code:
        for code in lm.source.folder.glob("*.py"):
            shutil.copyfile(code, folder / code.name)


@torch.no_grad()
def _adapter(
    lm: LanguageModel, vectors: Sequence[ExportVector], context: ExportContext, check: Callable[[], None]
) -> dict[str, bytes]:
    ablations, _ = split(lm, vectors)
    bases = bases_by_layer(lm, ablations)
    rank = max(basis.shape[1] for basis in bases.values())
    factors = []
    for layer, weights in find_written_weights(lm, sorted(bases)).items():
        check()
        # Where fewer directions are ablated, the rest of the rank is zeros.
        basis = torch.zeros(lm.width, rank, dtype=torch.float64)
        basis[:, : bases[layer].shape[1]] = bases[layer]
        for weight in weights:
            parameter = weight.of(lm)
            if weight.kind == "bias":
                _require_untouched(weight, parameter, basis)
            else:
                factors.append(_factor(lm, weight, parameter, basis.to(parameter.device)))
    return adapter_files(vectors, factors, rank, context)


def _require_untouched(weight: WrittenWeight, bias: Tensor, basis: Tensor) -> None:
    change = bias.double() - without(bias.double(), basis, weight.axis)
    if float(change.norm()) > NO_BIAS * float(bias.double().norm()):
        raise DctError(
            f"{weight.name} is added to what is written, and a LoRA adapter leaves biases as they are",
            "export it as an edited model (model), or as python",
        )


def _factor(lm: LanguageModel, weight: WrittenWeight, parameter: Tensor, basis: Tensor) -> LoraFactor:
    """PEFT's matrices for −QQᵀW along the axis that writes."""
    precise, name = parameter.double(), weight.name.rpartition(".")[2]
    module = lm.model.get_submodule(weight.module)
    if precise.ndim == 2 and name == "weight":
        oriented = precise.movedim(weight.axis, 0)
        return LoraFactor(weight.module, None, _float32(basis.T @ oriented), _float32(-basis), weight.axis == 1)
    stack = precise if precise.ndim == 3 else precise[None]
    along = basis.expand(len(stack), *basis.shape)
    if weight.axis % precise.ndim == precise.ndim - 2:
        left, right = -along, along.mT @ stack
    else:
        left, right = -(stack @ along), along.mT
    # left · right is each expert's change as it is stored; PEFT takes that as out × in, or as in × out.
    if precise.ndim == 3 and getattr(module, "is_transposed", False):
        left, right = right.mT, left.mT
    A = right.reshape(-1, right.shape[-1])
    B = left.permute(1, 2, 0).reshape(left.shape[1], -1)
    return LoraFactor(weight.module, name, _float32(A), _float32(B))


def _float32(tensor: Tensor) -> NDArray[np.float32]:
    return tensor.float().cpu().numpy()
