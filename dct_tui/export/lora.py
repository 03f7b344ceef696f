"""PEFT LoRA adapters that take directions out of weights: W ← W + B·A with B·A = −QQᵀW."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson
import safetensors.numpy

from .vectors import ExportContext, ExportVector, Float32

__all__ = ["ADAPTER_CONFIG", "ADAPTER_WEIGHTS", "LoraFactor", "adapter_files"]

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"


@dataclass(frozen=True)
class LoraFactor:
    """The change of one weight, as PEFT keeps it.

    Attributes:
        module: the name of the module that has the weight.
        parameter: the weight's name, where it is no linear layer's but a stack of experts' matrices.
        A: rank × in; of experts (experts · rank) × in, each expert's rows together.
        B: out × rank; of experts out × (rank · experts), each rank's columns together.
        transposed: whether the weight is stored in × out (Conv1D).
    """

    module: str
    parameter: str | None
    A: Float32
    B: Float32
    transposed: bool = False


def adapter_files(
    vectors: Sequence[ExportVector], factors: Sequence[LoraFactor], rank: int, context: ExportContext
) -> dict[str, bytes]:
    """Name → bytes of an adapter's files. The configuration is the last: with it the adapter is whole."""
    tensors = {}
    for factor in factors:
        for name, matrix in (("lora_A", factor.A), ("lora_B", factor.B)):
            tensors[f"base_model.model.{factor.module}.{name}.weight"] = np.ascontiguousarray(matrix, np.float32)
    targets = _targets(factors)
    about = {"format": "pt", "names": ", ".join(vector.name for vector in vectors)}
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": context.model,
        "revision": context.commit,
        "inference_mode": True,
        "r": rank,
        "lora_alpha": rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "use_rslora": False,
        "use_dora": False,
        "fan_in_fan_out": any(factor.transposed for factor in factors),
        "modules_to_save": None,
        "target_modules": [name for name, parameter in targets if parameter is None],
        "target_parameters": [f"{name}.{parameter}" for name, parameter in targets if parameter is not None] or None,
    }
    return {
        ADAPTER_WEIGHTS: safetensors.numpy.save(tensors, about),
        ADAPTER_CONFIG: orjson.dumps(config, option=orjson.OPT_INDENT_2),
    }


def _targets(factors: Sequence[LoraFactor]) -> list[tuple[str, str | None]]:
    """Modules, or modules and parameters, that PEFT is told to change.

    PEFT takes a module of the same name as a stack of experts (a shared expert's `down_proj`) for an expert of an older
    transformers, and would change the stack in its place; named by its weight it is taken for what it is.
    """
    stacks = {factor.parameter for factor in factors if factor.parameter is not None}
    return [
        (f.module, "weight" if f.parameter is None and f.module.rpartition(".")[2] in stacks else f.parameter)
        for f in factors
    ]
