"""The built-in model's tokenizer: whole words, each with the space before it, and single punctuation marks.

A sentence typed as people type it ("Where does the fox live?") is brought to the form the model knows: one space
between words, none before a mark, and a word's leading capital made small. Words in capitals stay what they are,
because a model that shouts needs words to shout with. Unknown words become ``<unk>``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from string import ascii_lowercase

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

SPACE = "▁"
MARKS = ".,:!?"
BRACES = "{}"
PAD, UNKNOWN, END = "<pad>", "<unk>", "<|end|>"
ROLES = ("<|system|>", "<|user|>", "<|assistant|>")
LONGEST = 512

CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{- '<|' + message['role'] + '|>' + message['content'] | trim + '<|end|>' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}"
)


def _normalizer() -> normalizers.Normalizer:
    small_letters = [
        normalizers.Replace(Regex(rf"\b{letter.upper()}(?=[a-z]|\b)"), letter)  # "Where", and a lone "A" or "I"
        for letter in ascii_lowercase
    ]
    return normalizers.Sequence(
        [
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
            normalizers.Replace(Regex(rf" +(?=[{MARKS}])"), ""),
            *small_letters,
            normalizers.Replace(" ", SPACE),
            normalizers.Prepend(SPACE),
        ]
    )


def _pieces(text: str) -> list[str]:
    spaced = re.sub(rf" +(?=[{MARKS}])", "", " ".join(text.split()))
    return re.findall(rf"{SPACE}?[^\W_]+|{SPACE}?[{re.escape(MARKS + BRACES)}]", SPACE + spaced.replace(" ", SPACE))


def build_tokenizer(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """A tokenizer whose vocabulary is exactly the words and marks of ``texts`` and the special tokens."""
    special = [PAD, UNKNOWN, END, *ROLES]
    words = sorted({piece for text in texts for piece in _pieces(text)})
    vocabulary = {token: index for index, token in enumerate([*special, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.normalizer = _normalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(
        Regex(rf"{SPACE}?[^\s{SPACE}{re.escape(MARKS + BRACES)}]+|{SPACE}?[{re.escape(MARKS + BRACES)}]"), "isolated"
    )
    tokenizer.decoder = decoders.Sequence([decoders.Replace(SPACE, " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token=UNKNOWN,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=list(ROLES),
        clean_up_tokenization_spaces=False,
        model_max_length=LONGEST,
        padding_side="left",
    )
    wrapped.chat_template = CHAT_TEMPLATE
    return wrapped
