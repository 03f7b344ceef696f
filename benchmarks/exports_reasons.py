"""Whether an export was refused for a reason that holds: tried by hand, without the machinery that refused it."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dct_tui.errors import DctError
from dct_tui.export import FORMATS, ExportVector
from dct_tui.jobs.edit_job import split
from dct_tui.models.interventions import Intervened
from dct_tui.models.language_model import LanguageModel
from dct_tui.models.templating import as_messages, encode

from .family_reference import forward

MISSED = 1e-2  # of what the hooks change; below, an edit would have been as good as they are
TEXT = "The quick brown fox jumps over the lazy dog."


def reason_holds(lm: LanguageModel, form: str, vectors: Sequence[ExportVector], error: DctError) -> bool:
    """Whether what the refusal says is so."""
    role = vectors[0].role
    if role not in FORMATS[form].roles:
        # The format has no way to say it; the ones that have are named.
        named = error.hint.removeprefix("choose one of ").split(", ")
        return named == [other.name for other in FORMATS.values() if role in other.roles]
    if "has no bias" in error.message:
        return _no_vector_does_it(lm, vectors)
    if "leaves biases as they are" in error.message:
        return _matrices_alone_differ(lm, vectors) and not _with_biases_differ(lm, vectors)
    if "no edit of weights is the same" in error.message:
        return _with_biases_differ(lm, vectors)
    return False


def _no_vector_does_it(lm: LanguageModel, vectors: Sequence[ExportVector]) -> bool:
    """Adding the vector to any parameter of its shape in the block before is not what the hooks do."""
    block = lm.anatomy.blocks[vectors[0].source - 1]
    total = torch.stack([torch.from_numpy(vector.steering) for vector in vectors]).sum(dim=0)
    for parameter in block.parameters():
        if parameter.shape == total.shape:
            original = parameter.clone()
            with torch.no_grad():
                parameter.add_(total)
                found = forward(lm.model, _ids(lm))
                parameter.copy_(original)
            if not _misses(lm, vectors, found):
                return False
    return True


def _matrices_alone_differ(lm: LanguageModel, vectors: Sequence[ExportVector]) -> bool:
    return _misses(lm, vectors, _edited(lm, vectors, biases=False))


def _with_biases_differ(lm: LanguageModel, vectors: Sequence[ExportVector]) -> bool:
    return _misses(lm, vectors, _edited(lm, vectors, biases=True))


def _edited(lm: LanguageModel, vectors: Sequence[ExportVector], *, biases: bool) -> Tensor:
    """Logits of a copy with the directions projected out of the last layer of attention and of the MLP, by name."""
    twin = copy.deepcopy(lm.model)
    stack = next(name for name, module in lm.model.named_modules() if module is lm.anatomy.blocks)
    basis, _ = torch.linalg.qr(torch.stack([torch.from_numpy(vector.vector) for vector in vectors]).T.double())
    with torch.no_grad():
        for name, parameter in twin.get_submodule(stack).named_parameters():
            owner, last = name.split(".")[-2:]
            if not (owner in OUTPUTS or last.removesuffix("_bias") in OUTPUTS):
                continue
            is_bias = last.endswith("bias")
            if is_bias and not biases:
                continue
            module = twin.get_submodule(f"{stack}.{name}".rpartition(".")[0])
            along = parameter.ndim - 1 if is_bias else _output_axis(module, parameter)
            moved = parameter.double().movedim(along, -1)
            parameter.copy_((moved - (moved @ basis) @ basis.T).movedim(-1, along))
    return forward(twin, _ids(lm))


OUTPUTS = ("o_proj", "down_proj", "out_proj", "c_proj", "fc2", "dense", "dense_4h_to_h", "fc_out")


def _output_axis(module: nn.Module, parameter: Tensor) -> int:
    if parameter.ndim == 3:
        return 2 if getattr(module, "is_transposed", False) else 1
    return 0 if isinstance(module, nn.Linear) else 1


def _misses(lm: LanguageModel, vectors: Sequence[ExportVector], found: Tensor) -> bool:
    """Whether these logits are other than those under our hooks, measured by what the hooks change."""
    plain = forward(lm.model, _ids(lm))
    ablations, steering = split(lm, vectors)
    with Intervened(lm, [[*ablations, *steering]]):
        meant = forward(lm.model, _ids(lm))
    return bool((found - meant).norm() > MISSED * (meant - plain).norm())


def _ids(lm: LanguageModel) -> list[int]:
    return encode(lm, as_messages(TEXT))
