"""Opening a causal language model with its tokenizer, from files on this machine."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.utils import logging as transformers_logging

from ..errors import DctError
from .anatomy import Anatomy, find_anatomy
from .catalog import ModelSource, find_model
from .language_model import LanguageModel
from .progress import OnProgress, Progress, forget
from .proving import prove
from .summary import GENERATIVE
from .tokenizing import first_line, open_tokenizer

__all__ = ["DTYPES", "DtypeName", "LanguageModel", "open_model"]

DtypeName = Literal["auto", "bf16", "fp16", "fp32"]
DTYPES: dict[str, torch.dtype] = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}


def open_model(
    name: str,
    *,
    dtype: DtypeName = "auto",
    device: str | None = None,
    device_map: str | None = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
    allow_pickle: bool = False,
    on_progress: OnProgress | None = None,
) -> LanguageModel:
    """Opens a model.

    Args:
        name: `builtin`, a folder, or the id of a cached hub model.
        dtype: `auto` is the checkpoint's own on an accelerator, and fp32 on a CPU.
        device: such as `cuda:1` or `cpu`; by default the first CUDA device, else the CPU.
        device_map: such as `auto`, to spread a large model over devices (needs accelerate).
        revision: of a cached hub model.
        trust_remote_code: run the Python code that comes with the model.
        allow_pickle: read `.bin` weights, which can run any code when they are opened.
        on_progress: called with `config`, `tokenizer`, `weights`, `device` or `proving`, and how far that is. What it
            raises ends the opening, and nothing of the model stays in memory.

    Raises:
        DctError: nothing there, not a causal language model, no tokenizer, weights that may not be read or are
            damaged, a model that does not fit, or an architecture that cannot be served exactly.
    """
    progress = Progress(on_progress)
    try:
        return _open(name, dtype, device, device_map, revision, trust_remote_code, allow_pickle, progress)
    except BaseException as error:
        forget(error)
        raise


def _open(
    name: str,
    dtype: DtypeName,
    device: str | None,
    device_map: str | None,
    revision: str | None,
    trust_remote_code: bool,
    allow_pickle: bool,
    progress: Progress,
) -> LanguageModel:
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    if dtype != "auto" and dtype not in DTYPES:
        raise DctError(f"there is no dtype {dtype!r}", f"choose auto or one of {', '.join(DTYPES)}")
    source = find_model(name, revision)
    progress("config", 0, 1)
    config = _read_config(source, trust_remote_code)
    progress("tokenizer", 0, 1)
    # Before the weights: what is missing is told before minutes are spent on them.
    tokenizer = open_tokenizer(source, trust_remote_code)
    _check_weights(source, allow_pickle)
    device = device or default_device()
    placement: dict[str, Any] = {"device_map": device_map} if device_map else {}
    try:
        with progress.weights():
            model, report = _model_class(config).from_pretrained(
                source.folder,
                config=config,
                dtype=_weights_dtype(dtype, config, device),
                trust_remote_code=trust_remote_code,
                use_safetensors=None if allow_pickle else True,
                local_files_only=True,
                output_loading_info=True,
                **placement,
            )
        progress("device", 0, 1)
        if not device_map and getattr(model, "hf_device_map", None) is None:
            model.to(device)
    except torch.OutOfMemoryError:
        raise _too_large(name, device) from None
    except Exception as error:  # damaged files, missing libraries and foreign code fail in ways of their own
        if error is progress.raised:
            raise
        raise DctError(f"{name} cannot be opened: {first_line(error)}", "see `dct-tui doctor`") from error
    if report["missing_keys"]:
        # They would be random: the model would run, and mean nothing.
        raise DctError(f"the weights of {name} lack {min(report['missing_keys'])}", "fetch or save the model anew")
    model.requires_grad_(False).eval()
    progress("proving", 0, 1)
    try:
        anatomy = find_anatomy(model)
        _check_depth(name, model, anatomy, report["unexpected_keys"])
        return prove(LanguageModel(model, tokenizer, anatomy, source, trust_remote_code))
    except torch.OutOfMemoryError:
        raise _too_large(name, device) from None
    except (RuntimeError, ValueError, TypeError, IndexError, KeyError, AttributeError) as error:
        raise DctError(
            f"a {type(model).__name__} of {model.dtype} cannot be run: {first_line(error)}", "try --dtype fp32"
        ) from error


def _too_large(name: str, device: str) -> DctError:
    return DctError(f"{name} does not fit on {device}", "try --dtype bf16, --device-map auto or --device cpu")


def _read_config(source: ModelSource, trust_remote_code: bool) -> PreTrainedConfig:
    if not (source.folder / "config.json").is_file():
        raise DctError(f"{source.name} is not a model folder: it has no config.json", "name the folder that has it")
    try:
        config: PreTrainedConfig = AutoConfig.from_pretrained(
            source.folder, trust_remote_code=trust_remote_code, local_files_only=True
        )
    except Exception as error:  # a hostile or foreign config fails in any way it likes
        hint = (
            "if you trust its authors: --trust-remote-code"
            if "trust_remote_code" in str(error)
            else "check config.json"
        )
        raise DctError(f"the config of {source.name} cannot be read: {first_line(error)}", hint) from error
    named = config.architectures or []
    if (named and not any(str(name).endswith(GENERATIVE) for name in named)) or config.is_encoder_decoder:
        what = named[0] if named else type(config).__name__
        raise DctError(f"{source.name} is a {what}, not a causal language model", "choose a model that generates text")
    return config


def _check_weights(source: ModelSource, allow_pickle: bool) -> None:
    if not any(source.folder.glob("*.safetensors")):
        if not any(source.folder.glob("*.bin")):
            raise DctError(f"{source.name} has no weights", "it needs model.safetensors, or an index and its shards")
        if not allow_pickle:
            raise DctError(
                f"{source.name} has only pickled weights (.bin), which can run any code when they are opened",
                "convert them to safetensors, or if you trust their authors: --allow-pickle",
            )


def _model_class(config: PreTrainedConfig) -> Any:
    causal = type(config) in AutoModelForCausalLM._model_mapping or "AutoModelForCausalLM" in (
        getattr(config, "auto_map", None) or {}
    )
    return AutoModelForCausalLM if causal else AutoModelForImageTextToText


def _check_depth(name: str, model: PreTrainedModel, anatomy: Anatomy, unused: Collection[str]) -> None:
    """Refuses a config that says fewer blocks than the weights have: the model would run, cut short."""
    blocks = next(path for path, module in model.named_modules() if module is anatomy.blocks)
    # By the last part: checkpoints of a wrapper and of what it wraps differ in how their names begin.
    stem = f"{blocks.rpartition('.')[2]}.{anatomy.depth}."
    beyond = [key for key in unused if key.startswith(stem) or f".{stem}" in key]
    if beyond:
        raise DctError(
            f"the weights of {name} have more blocks than the {anatomy.depth} of its config ({min(beyond)})",
            "correct num_hidden_layers in config.json",
        )


def _weights_dtype(dtype: DtypeName, config: PreTrainedConfig, device: str) -> torch.dtype | str:
    if dtype != "auto":
        return DTYPES[dtype]
    quantised = getattr(config, "quantization_config", None) is not None
    return torch.float32 if device == "cpu" and not quantised else "auto"


def default_device() -> str:
    # Apple's devices have no float64, in which strengths are solved: they are not a default.
    return "cuda" if torch.cuda.is_available() else "cpu"
