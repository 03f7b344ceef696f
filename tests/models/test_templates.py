"""From prompts to token ids and padded batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.characters import character_tokenizer
from benchmarks.zoo import save_family
from benchmarks.zoo_table import FAMILIES
from dct_tui.errors import DctError
from dct_tui.models.loading import LanguageModel, open_model
from dct_tui.models.templating import Batch, as_messages, encode, pad, render

REFUSES_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{{ bos_token }}{% for message in messages %}{{ message['content'] }}{% endfor %}"
)


@pytest.fixture
def lm(opened: Callable[[str], LanguageModel]) -> Iterator[LanguageModel]:
    """A Llama whose template may be changed."""
    lm = opened("Llama")
    template = lm.tokenizer.chat_template
    yield lm
    lm.tokenizer.chat_template = template


def test_a_template_opens_the_reply(lm: LanguageModel) -> None:
    assert render(lm, as_messages("hi", "be kind")) == "<s><|system|>be kind<|user|>hi<|assistant|>"


def test_a_template_writes_the_first_token_itself(lm: LanguageModel) -> None:
    ids = encode(lm, as_messages("hi"))
    assert ids.count(lm.tokenizer.bos_token_id) == 1
    assert lm.tokenizer.decode(ids) == "<s><|user|>hi<|assistant|>"


def test_without_a_template_the_prompt_stands_as_it_is(tmp_path: Path) -> None:
    base = open_model(str(save_family(FAMILIES[0], tmp_path, chat_template=None)), device="cpu")
    assert render(base, as_messages("hi", "be kind")) == "be kind\n\nhi"
    assert encode(base, as_messages("hi")) == [
        base.tokenizer.bos_token_id,
        *character_tokenizer()("hi")["input_ids"][1:],
    ]


def test_a_conversation_keeps_its_turns(lm: LanguageModel) -> None:
    turns = [*as_messages("a"), {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    assert render(lm, turns) == "<s><|user|>a<|assistant|>b<|user|>c<|assistant|>"


def test_a_template_that_refuses_a_system_prompt(lm: LanguageModel) -> None:
    lm.tokenizer.chat_template = REFUSES_SYSTEM
    assert render(lm, as_messages("hi")) == "<s>hi"
    with pytest.raises(DctError, match="System role not supported"):
        encode(lm, as_messages("hi", "be kind"))


def test_a_broken_template(lm: LanguageModel) -> None:
    lm.tokenizer.chat_template = "{% for %}"
    with pytest.raises(DctError, match="chat template"):
        encode(lm, as_messages("hi"))


def test_a_prompt_of_no_tokens(lm: LanguageModel) -> None:
    lm.tokenizer.chat_template = "{# nothing #}"
    with pytest.raises(DctError, match="without any token"):
        encode(lm, as_messages("hi"))


def test_a_prompt_may_fill_the_context_but_no_more(lm: LanguageModel) -> None:
    assert lm.context == 128
    fitting = "x" * (128 - 3)
    assert len(encode(lm, as_messages(fitting))) == 128
    with pytest.raises(DctError, match="129 tokens is longer than the context of 128"):
        encode(lm, as_messages(fitting + "x"))


def test_a_model_without_a_said_context_takes_any_length(lm: LanguageModel) -> None:
    class Endless(LanguageModel):
        context = None  # type: ignore[assignment]

    endless = Endless(**{name: getattr(lm, name) for name in ("model", "tokenizer", "anatomy", "source")})
    assert len(encode(endless, as_messages("x" * 500))) == 503


def test_batches_are_padded_on_the_left(lm: LanguageModel) -> None:
    batch = pad(lm, [[5, 6, 7], [8]])
    assert batch.ids.tolist() == [[5, 6, 7], [lm.tokenizer.pad_token_id] * 2 + [8]]
    assert batch.mask.tolist() == [[1, 1, 1], [0, 0, 1]]
    assert batch.positions.tolist() == [[0, 1, 2], [0, 0, 0]]


def test_a_batch_is_repeated_prompt_after_prompt(lm: LanguageModel) -> None:
    batch = pad(lm, [[5, 6], [8]]).repeat(2)
    assert isinstance(batch, Batch)
    assert batch.ids[:, -1].tolist() == [6, 8, 6, 8]
    assert batch.mask.tolist() == [[1, 1], [0, 1], [1, 1], [0, 1]]
    assert replace(batch, mask=batch.mask * 0).positions.tolist() == [[0, 0]] * 4
