"""What can be said of a model without loading it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from .catalog import ModelSource
from .checkpoint import Checkpoint, read_checkpoint

GENERATIVE = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")


@dataclass(frozen=True)
class ModelSummary:
    """One line about a model's files.

    Attributes:
        name: as it is opened.
        folder: where its files are.
        commit: of a hub snapshot.
        model_type: transformers' name of the architecture.
        depth, width: blocks, and size of the residual stream; None where the config does not say.
        dtype: of the checkpoint.
        bytes: of the weights on disk.
        chat_template: whether it has one.
        problem: why it cannot be opened, as far as its files tell; empty where all is well.
        title: a short name.
        architecture: the class that its config names.
        parameters: counted in the headers of the weight files; None where these cannot be read.
        dtypes: all that its weights are stored in, the one with most bytes first.
        context: the most tokens.
        vocabulary: token embeddings.
        heads, kv_heads: attention heads a block, and those that keys and values have.
        quantised: method and bits, such as `gptq 4-bit`; None where the weights are whole.
        modified: when its files last changed, seconds since 1970.
    """

    name: str
    folder: str
    commit: str | None
    model_type: str | None
    depth: int | None
    width: int | None
    dtype: str | None
    bytes: int
    chat_template: bool
    problem: str
    title: str = ""
    architecture: str | None = None
    parameters: int | None = None
    dtypes: tuple[str, ...] = ()
    context: int | None = None
    vocabulary: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    quantised: str | None = None
    modified: float = 0.0


def summarise(source: ModelSource) -> ModelSummary:
    """Reads a model's small files, and the headers of the large ones."""
    config, problem = read_config(source.folder)
    text = text_config(config)
    weights = read_checkpoint(source.folder)
    tokenizer, _ = _object(source.folder / "tokenizer_config.json")
    quantised = _quantised(config)
    names = config.get("architectures")
    architecture = names[0] if isinstance(names, list) and names and isinstance(names[0], str) else None
    return ModelSummary(
        name=source.name,
        folder=str(source.folder),
        commit=source.commit,
        model_type=_text(config, "model_type"),
        depth=_depth(text),
        width=first_number(text, "hidden_size", "n_embd", "d_model"),
        dtype=_text(config, "dtype", "torch_dtype") or _text(text, "dtype", "torch_dtype") or _main(weights),
        bytes=weights.bytes,
        chat_template="chat_template" in tokenizer or (source.folder / "chat_template.jinja").is_file(),
        problem=problem or _not_served(config, architecture) or weights.problem,
        title=source.title,
        architecture=architecture,
        parameters=weights.parameters(packed_bits(config)) or None,
        dtypes=weights.dtypes,
        context=first_number(text, "max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"),
        vocabulary=first_number(text, "vocab_size"),
        heads=first_number(text, "num_attention_heads", "n_head", "n_heads"),
        kv_heads=first_number(text, "num_key_value_heads"),
        quantised=quantised,
        modified=_modified(source.folder),
    )


def depth_of(source: ModelSource) -> int | None:
    """How many blocks a model has; None where its config does not say."""
    return _depth(text_config(read_config(source.folder)[0]))


def unknown(source: ModelSource, problem: str) -> ModelSummary:
    """What is said of a model whose files cannot be read at all, for that reason."""
    return ModelSummary(
        name=source.name,
        folder=str(source.folder),
        commit=source.commit,
        model_type=None,
        depth=None,
        width=None,
        dtype=None,
        bytes=0,
        chat_template=False,
        problem=problem,
        title=source.title,
    )


def read_config(folder: Path) -> tuple[dict[str, Any], str]:
    """A model's config, and what is wrong with it (empty: nothing)."""
    return _object(folder / "config.json")


def text_config(config: dict[str, Any]) -> dict[str, Any]:
    """The part of a config that is about text."""
    inner = config.get("text_config")
    return {**config, **inner} if isinstance(inner, dict) else config


def first_number(config: dict[str, Any], *names: str) -> int | None:
    """The first of these that the config gives as a number above 0."""
    values = (config.get(name) for name in names)
    return next((v for v in values if isinstance(v, int) and not isinstance(v, bool) and v > 0), None)


def _depth(text: dict[str, Any]) -> int | None:
    return first_number(text, "num_hidden_layers", "n_layer", "n_layers", "num_layers")


def packed_bits(config: dict[str, Any]) -> int | None:
    """In how many bits a weight is packed into integers; None where none are."""
    settings = config.get("quantization_config")
    if not isinstance(settings, dict):
        return None
    if settings.get("load_in_4bit") or settings.get("_load_in_4bit"):
        return 4
    if settings.get("load_in_8bit") or settings.get("_load_in_8bit"):
        return 8
    bits = first_number(settings, "bits", "w_bit", "nbits")
    return bits if bits is not None and bits < 16 else None


def _quantised(config: dict[str, Any]) -> str | None:
    settings = config.get("quantization_config")
    if not isinstance(settings, dict):
        return None
    bits = packed_bits(config)
    method = _text(settings, "quant_method") or "quantised"
    return f"{method} {bits}-bit" if bits else method


def _not_served(config: dict[str, Any], architecture: str | None) -> str:
    if architecture is not None and not architecture.endswith(GENERATIVE):
        return f"a {architecture}, not a causal language model"
    return "an encoder and a decoder, not a causal language model" if config.get("is_encoder_decoder") else ""


def _main(weights: Checkpoint) -> str | None:
    return next(iter(weights.dtypes), None)


def _text(config: dict[str, Any], *names: str) -> str | None:
    return next((config[name] for name in names if isinstance(config.get(name), str)), None)


def _modified(folder: Path) -> float:
    times = [0.0]
    for path in folder.glob("*"):
        try:
            times.append(path.stat().st_mtime)
        except OSError:
            continue  # a link into a cache that was cleaned
    return max(times)


def _object(path: Path) -> tuple[dict[str, Any], str]:
    try:
        value = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}, f"no {path.name}"
    except OSError as error:
        return {}, f"{path.name} cannot be read: {error.strerror}"
    except orjson.JSONDecodeError:
        return {}, f"{path.name} is not JSON"
    return (value, "") if isinstance(value, dict) else ({}, f"{path.name} is not an object")
