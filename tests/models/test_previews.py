from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dct_tui.errors import DctError
from dct_tui.models.loading import open_model
from dct_tui.models.preview import preview
from dct_tui.models.templating import as_messages, encode


def test_a_preview_has_the_ids_of_the_fit(llama: Path) -> None:
    lm = open_model(str(llama), device="cpu")
    prompts = ["hello", "naïve [b]日本[/b]", "two\nlines"]
    for system in (None, "be brief"):
        shown = preview(str(llama), prompts, system, 4)
        assert shown.template
        for prompt, one in zip(prompts, shown.prompts, strict=True):
            assert list(one.ids) == encode(lm, as_messages(prompt, system))
            assert one.targets == 4


def test_texts_join_to_what_the_model_sees_and_special_tokens_are_marked(llama: Path) -> None:
    (one,) = preview(str(llama), ["hello"]).prompts
    assert "".join(one.tokens) == "<|user|>hello<end><|assistant|>"
    assert [one.tokens[place] for place in one.special] == ["<|user|>", "<end>", "<|assistant|>"]


def test_words_that_the_tokenizer_lacks_are_unknown() -> None:
    known, unknown = preview("builtin", ["where does the cow live?", "where does the zygomorph live?"]).prompts
    assert known.unknown == ()
    assert [unknown.tokens[place] for place in unknown.unknown] == ["<unk>"]


def test_no_token_of_a_template_is_unknown(llama: Path, tmp_path: Path) -> None:
    """Some models call the token that ends a turn the unknown one, too."""
    folder = shutil.copytree(llama, tmp_path / "model")
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "unk_token": settings["eos_token"]}))
    (one,) = preview(str(folder), ["hello"]).prompts
    assert settings["eos_token"] in one.tokens and one.unknown == ()


def test_pieces_of_words_keep_their_spaces() -> None:
    (one,) = preview("builtin", ["where does the cow live?"]).prompts
    assert "where does the cow live?" in "".join(one.tokens)


def test_there_are_no_more_targets_than_tokens(llama: Path) -> None:
    (one,) = preview(str(llama), ["hi"], target_positions=99).prompts
    assert one.targets == len(one.tokens) == len(one.ids)


@pytest.mark.parametrize(
    ("name", "prompt", "positions", "message"),
    [
        ("llama", "x" * 300, 3, "longer than the context"),
        ("llama", "a", 0, "target positions"),
        ("nothing/here", "a", 3, "no model"),
    ],
)
def test_what_cannot_be_shown_is_said(llama: Path, name: str, prompt: str, positions: int, message: str) -> None:
    with pytest.raises(DctError, match=message):
        preview(str(llama) if name == "llama" else name, [prompt], target_positions=positions)


def test_a_template_that_changed_is_read_anew(llama: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(llama, tmp_path / "model")
    assert preview(str(folder), ["a"]).template
    (folder / "chat_template.jinja").unlink()
    assert not preview(str(folder), ["a"]).template
