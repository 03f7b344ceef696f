"""From prompts to token ids: the chat template, and batches padded on the left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import ContextFull, DctError
from .language_model import LanguageModel
from .tokenizing import Reader

Message = dict[str, str]


@dataclass(frozen=True)
class Batch:
    """Token ids padded on the left.

    Attributes:
        ids: prompts × tokens.
        mask: 1 at tokens, 0 at pads; prompts × tokens.
    """

    ids: Tensor
    mask: Tensor

    @property
    def positions(self) -> Tensor:
        """Each token's place in its own prompt, pads at 0; prompts × tokens."""
        return (self.mask.cumsum(dim=1) - 1).clamp_min(0)

    def repeat(self, times: int) -> Batch:
        """All prompts `times` times over, in order."""
        return Batch(self.ids.repeat(times, 1), self.mask.repeat(times, 1))


def render(reader: Reader, messages: Sequence[Message]) -> str:
    """The text a model sees, the opening of its reply included. Without a chat template: the messages as they are.

    Raises:
        DctError: a template that refuses these messages (some know no system prompt).
    """
    if not reader.tokenizer.chat_template:
        return "\n\n".join(message["content"] for message in messages)
    try:
        return str(reader.tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True))
    except Exception as error:  # a template is a program: it fails as it likes
        system = any(message["role"] == "system" for message in messages)
        hint = "leave the system prompt away" if system else "correct chat_template in the tokenizer's files"
        raise DctError(f"the chat template refuses these messages: {error}", hint) from error


def encode(reader: Reader, messages: Sequence[Message]) -> list[int]:
    """The token ids of a prompt.

    Raises:
        DctError: no tokens.
        ContextFull: more than the model's context.
    """
    ids = token_ids(reader, messages)
    if reader.context and len(ids) > reader.context:
        raise ContextFull(
            f"a prompt of {len(ids)} tokens is longer than the context of {reader.context}",
            f"shorten the one that ends with {messages[-1]['content'][-40:]!r}",
        )
    return ids


def token_ids(reader: Reader, messages: Sequence[Message]) -> list[int]:
    """The token ids of a conversation, be it as long as it may. Raises DctError where there are none."""
    # A template writes the special tokens itself; without one the tokenizer adds its own (such as BOS).
    text = check_unicode(render(reader, messages))
    ids: list[int] = reader.tokenizer(text, add_special_tokens=not reader.tokenizer.chat_template)["input_ids"]
    if not ids:
        raise DctError("a prompt without any token cannot be run", "write something in it")
    return ids


def check_unicode(text: str) -> str:
    """The same text.

    Raises:
        DctError: it holds half characters, as come of bytes that are not UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DctError(f"a text is not valid Unicode: {text[:40]!a}", "write it as UTF-8") from None
    return text


def as_messages(prompt: str, system: str | None = None) -> list[Message]:
    """A conversation of one prompt."""
    opening = [{"role": "system", "content": system}] if system else []
    return [*opening, {"role": "user", "content": prompt}]


def pad(lm: LanguageModel, sequences: Sequence[Sequence[int]]) -> Batch:
    """Sequences of ids in one batch on the model's device, padded on the left."""
    longest = max(map(len, sequences))
    fill = lm.tokenizer.pad_token_id
    ids = [[fill] * (longest - len(sequence)) + list(sequence) for sequence in sequences]
    mask = [[0] * (longest - len(sequence)) + [1] * len(sequence) for sequence in sequences]
    return Batch(torch.tensor(ids, device=lm.device), torch.tensor(mask, device=lm.device))
