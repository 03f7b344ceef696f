"""Prompts as a model will see them: the very ids that a fit runs. Of the model only its tokenizer is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from transformers import PreTrainedTokenizerBase

from ..errors import DctError
from .catalog import ModelSource, find_model
from .summary import summarise
from .templating import as_messages, encode
from .tokenizing import TokenizerAlone, open_tokenizer

WORD_START = "▁"


@dataclass(frozen=True)
class PromptPreview:
    """One prompt as it is run.

    Attributes:
        ids: its tokens.
        tokens: their texts, which joined are the prompt with its template; a piece of a character is U+FFFD.
        special: places of tokens that are no text (those of the template, and such as BOS).
        unknown: places of tokens that stand for text which the tokenizer has none for.
        targets: so many tokens at the end are target positions.
    """

    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    special: tuple[int, ...]
    unknown: tuple[int, ...]
    targets: int


@dataclass(frozen=True)
class Preview:
    """Prompts as they are run; `template` says whether the model has a chat template."""

    template: bool
    prompts: tuple[PromptPreview, ...]


def preview(
    name: str,
    prompts: Sequence[str],
    system: str | None = None,
    target_positions: int = 3,
    *,
    revision: str | None = None,
    trust_remote_code: bool = False,
    check: Callable[[], None] = lambda: None,
) -> Preview:
    """Prompts of a fit as the model will see them.

    Args:
        name: `builtin`, a folder, or the id of a cached hub model.
        prompts: as they are typed.
        system: a system prompt before each.
        target_positions: Δ is averaged over so many tokens at each prompt's end.
        check: called before every prompt; what it raises ends the preview.

    Raises:
        DctError: no such model, a tokenizer that cannot be opened, a template that refuses the prompts, a prompt
            without tokens or beyond the context, or no target position.
    """
    if target_positions < 1:
        raise DctError(f"{target_positions} target positions measure nothing", "choose at least 1")
    reader = reader_of(find_model(name, revision), trust_remote_code)
    shown = []
    for prompt in prompts:
        check()
        ids = encode(reader, as_messages(prompt, system))
        special = tuple(place for place, id in enumerate(ids) if _is_special(reader.tokenizer, id))
        unknown = tuple(place for place, id in enumerate(ids) if id == _unknown(reader.tokenizer))
        tokens = tuple(_text(reader.tokenizer, id) for id in ids)
        shown.append(PromptPreview(tuple(ids), tokens, special, unknown, min(target_positions, len(ids))))
    return Preview(bool(reader.tokenizer.chat_template), tuple(shown))


def reader_of(source: ModelSource, trust_remote_code: bool = False) -> TokenizerAlone:
    """A model's tokenizer and context, kept for the next time while its files stay as they are.

    Raises:
        DctError: the tokenizer cannot be opened.
    """
    stamps = tuple(sorted((path.name, path.stat().st_mtime_ns) for path in source.folder.glob("*") if path.is_file()))
    return _reader(source, trust_remote_code, stamps)


@lru_cache(maxsize=4)
def _reader(source: ModelSource, trust_remote_code: bool, stamps: tuple[tuple[str, int], ...]) -> TokenizerAlone:
    return TokenizerAlone(open_tokenizer(source, trust_remote_code), summarise(source).context)


def _is_special(tokenizer: PreTrainedTokenizerBase, id: int) -> bool:
    added = tokenizer.added_tokens_decoder.get(id)
    return id in tokenizer.all_special_ids or (added is not None and bool(added.special))


def _unknown(tokenizer: PreTrainedTokenizerBase) -> int | None:
    """The token for what is unknown; None where there is none, or it is one that templates write too."""
    id = tokenizer.unk_token_id
    return None if id in (tokenizer.bos_token_id, tokenizer.eos_token_id) else id


def _text(tokenizer: PreTrainedTokenizerBase, id: int) -> str:
    text = str(tokenizer.decode([id], skip_special_tokens=False, clean_up_tokenization_spaces=False))
    piece = tokenizer.convert_ids_to_tokens(id)
    # Some tokenizers drop the space before the first word of what they decode.
    dropped = isinstance(piece, str) and piece.startswith(WORD_START) and not text.startswith(" ")
    return " " + text if dropped else text
