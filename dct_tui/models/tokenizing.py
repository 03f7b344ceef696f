"""A model's tokenizer, opened without its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from ..errors import DctError
from .catalog import ModelSource

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tekken.json")
SELF_CONTAINED_TOKENIZERS = ("PreTrainedTokenizerFast", "TokenizersBackend")


class Reader(Protocol):
    """What reads text as a model does: an open model, or its tokenizer alone."""

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """Turns text into ids; holds the chat template."""

    @property
    def context(self) -> int | None:
        """The most tokens, where the model's config says so."""


@dataclass(frozen=True)
class TokenizerAlone:
    """A `Reader` without a model."""

    tokenizer: PreTrainedTokenizerBase
    context: int | None


def open_tokenizer(source: ModelSource, trust_remote_code: bool = False) -> PreTrainedTokenizerBase:
    """Opens the tokenizer of a model's folder, with a pad token.

    Raises:
        DctError: there is none, or it cannot be opened.
    """
    if not any((source.folder / file).is_file() for file in TOKENIZER_FILES):
        raise DctError(
            f"{source.name} has no tokenizer", "save one into the folder with tokenizer.save_pretrained(folder)"
        )
    try:
        tokenizer: PreTrainedTokenizerBase = _tokenizer_class(source).from_pretrained(
            source.folder, trust_remote_code=trust_remote_code, local_files_only=True
        )
    except Exception as error:  # tokenizer files fail in as many ways as there are tokenizers
        raise DctError(
            f"the tokenizer of {source.name} cannot be opened: {first_line(error)}", "save it anew"
        ) from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    return tokenizer


def first_line(error: Exception) -> str:
    """What foreign code said, as far as it fits into a line of ours."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _tokenizer_class(source: ModelSource) -> Any:
    """AutoTokenizer, but for a tokenizer that is all in its tokenizer.json.

    AutoTokenizer goes by the model's type before the tokenizer's own class, and so gives a Qwen2 model that has a
    tokenizer of another kind the splitting rules of Qwen2's.
    """
    try:
        settings = orjson.loads((source.folder / "tokenizer_config.json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return AutoTokenizer
    whole = isinstance(settings, dict) and settings.get("tokenizer_class") in SELF_CONTAINED_TOKENIZERS
    return PreTrainedTokenizerFast if whole and (source.folder / "tokenizer.json").is_file() else AutoTokenizer
