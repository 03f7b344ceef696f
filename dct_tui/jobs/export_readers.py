"""Exported files as the programs that they are for read them: each reader gives the model as the file makes it.

The hooks are written anew, from what the formats promise, and not with those that the files were made by.
"""

from __future__ import annotations

import gc
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import orjson
import safetensors
import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, PreTrainedModel

from ..export import ExportContext, Exported
from ..export.reading import same_arrays, sums_by_block
from ..models.anatomy import first_tensor, with_first_tensor
from ..models.interventions import span_of
from ..models.language_model import LanguageModel

__all__ = ["READERS", "Subject", "UnreadError"]


class UnreadError(Exception):
    """The reader is not there, or has no room."""


@dataclass(frozen=True)
class Subject:
    """An export, and the open model that it is tried on."""

    lm: LanguageModel
    export: Exported
    context: ExportContext

    @property
    def model(self) -> PreTrainedModel:
        return self.lm.model

    @property
    def blocks(self) -> nn.ModuleList:
        return self.lm.anatomy.blocks


Read: TypeAlias = Callable[[Subject], AbstractContextManager[nn.Module]]


@contextmanager
def _gguf(subject: Subject) -> Iterator[nn.Module]:
    try:
        from gguf import GGUFReader
    except ImportError:
        raise UnreadError("the gguf package is not installed") from None
    tensors = GGUFReader(subject.export.path).tensors
    found = {int(one.name.removeprefix("direction.")): torch.tensor(np.array(one.data)) for one in tensors}
    with _added_to_outputs(subject, found):
        yield subject.model


@contextmanager
def _steering_vectors(subject: Subject) -> Iterator[nn.Module]:
    saved = torch.load(subject.export.path, weights_only=True)
    found: dict[int, Tensor] = saved["layer_activations"]
    meant = {block - 1: vector for block, vector in sums_by_block(subject.export.vectors).items()}
    if wrong := same_arrays({layer: tensor.numpy() for layer, tensor in found.items()}, meant):
        raise ValueError(wrong)
    with _added_to_outputs(subject, found):
        yield subject.model


@contextmanager
def _safetensors(subject: Subject) -> Iterator[nn.Module]:
    with safetensors.safe_open(subject.export.path, "pt") as file:
        arrays, about = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    with _as_arrays_say(subject, arrays, about):
        yield subject.model


@contextmanager
def _npz(subject: Subject) -> Iterator[nn.Module]:
    with np.load(subject.export.path, allow_pickle=False) as archive:
        about = orjson.loads(str(archive["metadata"]))
        arrays = {name: torch.from_numpy(archive[name]) for name in archive.files if name != "metadata"}
    with _as_arrays_say(subject, arrays, about):
        yield subject.model


@contextmanager
def _python(subject: Subject) -> Iterator[nn.Module]:
    code: dict[str, Any] = {"__name__": "exported"}
    exec(compile(subject.export.path.read_bytes(), str(subject.export.path), "exec", dont_inherit=True), code)
    handles = code["apply"](subject.model)
    try:
        yield subject.model
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _lora(subject: Subject) -> Iterator[nn.Module]:
    try:
        from peft import PeftModel
    except ImportError:
        raise UnreadError("the peft package is not installed") from None
    modules = dict(subject.model.named_modules())
    known = set(vars(subject.model))
    try:
        yield PeftModel.from_pretrained(subject.model, str(subject.export.path)).eval()
    finally:
        # Put back one by one: an adapter that PEFT refuses may be on the model in part.
        for name, module in modules.items():
            parent, _, last = name.rpartition(".")
            if name and modules[parent]._modules[last] is not module:
                modules[parent]._modules[last] = module
        for name in set(vars(subject.model)) - known:
            delattr(subject.model, name)
        subject.model.requires_grad_(False)


@contextmanager
def _model(subject: Subject) -> Iterator[nn.Module]:
    folder, lm = subject.export.path, subject.lm
    causal = "ForConditionalGeneration" not in type(lm.model).__name__
    factory: Any = AutoModelForCausalLM if causal else AutoModelForImageTextToText
    try:
        model, report = factory.from_pretrained(
            folder,
            dtype=lm.dtype,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=lm.trusts_remote_code,
            output_loading_info=True,
        )
        model = model.to(lm.device).eval()
    except torch.OutOfMemoryError:
        raise UnreadError("there is no room for the model a second time") from None
    if report["missing_keys"] or report["unexpected_keys"]:
        raise ValueError(f"{min([*report['missing_keys'], *report['unexpected_keys']])} is missing or left over")
    try:
        yield model
    finally:
        del model
        gc.collect()


READERS: Mapping[str, tuple[str, Read]] = {
    "safetensors": ("safetensors", _safetensors),
    "npz": ("numpy", _npz),
    "gguf": ("gguf", _gguf),
    "steering-vectors": ("torch", _steering_vectors),
    "python": ("transformers", _python),
    "lora": ("peft", _lora),
    "model": ("transformers", _model),
}
"""For each format the package that reads it, and how."""


@contextmanager
def _added_to_outputs(subject: Subject, vectors: Mapping[int, Tensor]) -> Iterator[None]:
    """A vector added to what each of these blocks (0-based) gives."""

    def adding(vector: Tensor) -> Any:
        def hook(block: nn.Module, args: Any, output: Any) -> Any:
            hidden = first_tensor(output)
            return with_first_tensor(output, hidden + vector.to(hidden.device, hidden.dtype))

        return hook

    with ExitStack() as hooks:
        for block, vector in vectors.items():
            hooks.callback(subject.blocks[block].register_forward_hook(adding(vector)).remove)
        yield


@contextmanager
def _as_arrays_say(subject: Subject, arrays: Mapping[str, Tensor], about: Mapping[str, str]) -> Iterator[None]:
    """V and U used as their metadata say."""
    directions = orjson.loads(about["directions"])
    chosen = [arrays["V" if direction == "input" else "U"][:, j] for j, direction in enumerate(directions)]
    with ExitStack() as hooks:
        if about["role"] == "add":
            block = int(about["source_hidden_states"])
            total = torch.stack([s * arrays["scale"] * v for s, v in zip(arrays["strength"], chosen, strict=True)]).sum(
                0
            )
            hooks.enter_context(_added_on_entering(subject, block, total))
        else:
            layers = orjson.loads(about["layers"])
            hooks.enter_context(_projected(subject, about["ablation"], layers, span_of(chosen)))
        yield


@contextmanager
def _added_on_entering(subject: Subject, block: int, vector: Tensor) -> Iterator[None]:
    """A vector added to what enters a block, by wrapping the block's own forward."""
    module = subject.blocks[block]
    forward = module.forward
    first = next(iter(inspect.signature(forward).parameters))

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        hidden = args[0] if args else kwargs.pop(first)
        return forward(hidden + vector.to(hidden.device, hidden.dtype), *args[1:], **kwargs)

    module.forward = wrapped
    try:
        yield
    finally:
        del module.forward


@contextmanager
def _projected(subject: Subject, kind: str, layers: Sequence[int] | None, span: Tensor) -> Iterator[None]:
    """Directions projected out of what writes to the stream, or out of the stream after each block."""

    def hook(module: nn.Module, args: Any, output: Any) -> Any:
        hidden = first_tensor(output)
        precise = hidden.to(torch.promote_types(hidden.dtype, torch.float32))
        basis = span.to(precise)
        return with_first_tensor(output, (precise - (precise @ basis.T) @ basis).to(hidden.dtype))

    with ExitStack() as hooks:
        for layer in range(subject.lm.depth) if layers is None else layers:
            modules: list[nn.Module] = [subject.blocks[layer]]
            if kind == "writes":
                assert subject.context.writers is not None
                modules = [subject.model.get_submodule(name) for name in subject.context.writers[layer]]
            for module in modules:
                hooks.callback(module.register_forward_hook(hook).remove)
        yield
