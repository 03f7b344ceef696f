"""What can be said of a model without loading it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from .catalog import ModelSource


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


def summarise(source: ModelSource) -> ModelSummary:
    """Reads a model's small files."""
    config, problem = _json(source, "config.json")
    text: dict[str, Any] = config.get("text_config") or config
    weights = sum(path.stat().st_size for path in source.folder.glob("*.safetensors"))
    tokenizer, _ = _json(source, "tokenizer_config.json")
    template = "chat_template" in tokenizer or (source.folder / "chat_template.jinja").is_file()
    return ModelSummary(
        name=source.name,
        folder=str(source.folder),
        commit=source.commit,
        model_type=config.get("model_type"),
        depth=_first(text, "num_hidden_layers", "n_layer", "n_layers", "num_layers"),
        width=_first(text, "hidden_size", "n_embd", "d_model"),
        dtype=config.get("dtype") or config.get("torch_dtype") or text.get("dtype"),
        bytes=weights,
        chat_template=template,
        problem=problem or ("" if weights else "no safetensors weights"),
    )


def _first(config: dict[str, Any], *names: str) -> int | None:
    return next((config[name] for name in names if isinstance(config.get(name), int)), None)


def _json(source: ModelSource, name: str) -> tuple[dict[str, Any], str]:
    try:
        value = orjson.loads((source.folder / name).read_bytes())
    except OSError:
        return {}, f"no {name}"
    except orjson.JSONDecodeError:
        return {}, f"{name} is not JSON"
    return (value, "") if isinstance(value, dict) else ({}, f"{name} is not an object")
