"""Tiny random models of many families, made from transformers' own configs and saved as folders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.pytorch_utils import Conv1D

from .characters import CHAT_TEMPLATE, VOCABULARY, character_tokenizer

BLOCKS = 6
WIDTH = 48
SMALL: Mapping[str, Any] = {
    "vocab_size": len(VOCABULARY),
    "hidden_size": WIDTH,
    "intermediate_size": 64,
    "num_hidden_layers": BLOCKS,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 12,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "tie_word_embeddings": False,
    "num_experts": 4,
    "num_local_experts": 4,
    "n_routed_experts": 4,
    "n_shared_experts": 1,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 32,
    "shared_expert_intermediate_size": 32,
    "n_group": 1,
    "topk_group": 1,
}
"""Sizes by the names that configs give them; each config takes those it knows."""

GAIN = 1.0
BIAS = 0.1


@dataclass(frozen=True)
class Family:
    """One architecture of the zoo.

    Attributes:
        name: of the row in the table.
        model_type: transformers' name of the config.
        settings: what the config needs besides the common sizes; None leaves a common size out.
        matrices: names of the matrices whose outputs go into the residual stream as they are. Empty where an edit of
            weights cannot ablate exactly (post-norms, fused experts).
        wraps: for a multimodal wrapper, the model type of the language model inside.
    """

    name: str
    model_type: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    matrices: tuple[str, ...] = ()
    wraps: str | None = None


def make_config(family: Family) -> PreTrainedConfig:
    """The family's config, with the common sizes where it has such."""
    if family.wraps is None:
        return AutoConfig.for_model(family.model_type, **_sizes(family.model_type, family.settings))
    settings = dict(family.settings)
    text = AutoConfig.for_model(family.wraps, **_sizes(family.wraps, settings.pop("text_config", {})))
    return AutoConfig.for_model(family.model_type, text_config=text.to_dict(), tie_word_embeddings=False, **settings)


def make_model(family: Family, seed: int = 0) -> PreTrainedModel:
    """A random model whose attention, MLPs and biases all matter; float32, evaluation mode."""
    torch.manual_seed(seed)
    config = make_config(family)
    factory: Any = AutoModelForImageTextToText if family.wraps else AutoModelForCausalLM
    model: PreTrainedModel = factory.from_config(config).float().eval()
    _randomise(model, seed)
    return model


def save_family(family: Family, folder: Path, *, chat_template: str | None = CHAT_TEMPLATE, seed: int = 0) -> Path:
    """Writes a random model of the family with its tokenizer, as `save_pretrained` does."""
    make_model(family, seed).save_pretrained(folder)
    character_tokenizer(chat_template).save_pretrained(folder)
    return folder


def _sizes(model_type: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    default = AutoConfig.for_model(model_type)
    known = {**vars(default), **getattr(default, "attribute_map", {})}
    sizes = {**{name: value for name, value in SMALL.items() if name in known}, **settings}
    return {name: value for name, value in sizes.items() if value is not None}


@torch.no_grad()
def _randomise(model: PreTrainedModel, seed: int) -> None:
    # The default initialisation is so small that attention is uniform and biases are zero: mistakes would not show.
    generator = torch.Generator().manual_seed(seed)

    def noise(tensor: torch.Tensor, deviation: float) -> torch.Tensor:
        return torch.randn(tensor.shape, generator=generator) * deviation

    for module in model.modules():
        weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
        if isinstance(module, nn.Linear | Conv1D):
            fan_in = module.weight.shape[0 if isinstance(module, Conv1D) else 1]
            module.weight.copy_(noise(module.weight, GAIN / fan_in**0.5))
        elif isinstance(module, nn.Embedding):
            module.weight.copy_(noise(module.weight, 1.0))
        elif isinstance(weight, nn.Parameter) and weight.ndim == 1:
            weight.add_(noise(weight, BIAS))
        if isinstance(bias, nn.Parameter):
            bias.copy_(noise(bias, BIAS))
    for name, parameter in model.named_parameters():
        if parameter.ndim == 3 and "expert" in name:
            parameter.copy_(noise(parameter, GAIN / min(parameter.shape[1:]) ** 0.5))
        elif parameter.ndim == 2 and name.endswith("bias"):
            parameter.copy_(noise(parameter, BIAS))
