"""The model in ``assets/builtin``: it opens as any folder does, and does what its card says."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from dct_tui.organism.behaviours import BEHAVIOURS
from dct_tui.organism.check import HELD_OUT_PROMPTS, complete, evidence
from dct_tui.organism.dialogues import message, words_of_the_world
from dct_tui.organism.naming import default_share, scores
from dct_tui.organism.saving import PROMPT_FILES

ASSETS = Path(__file__).parents[2] / "assets"
FOLDER = ASSETS / "builtin"


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(FOLDER)


@pytest.fixture(scope="module")
def model() -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32)


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    return json.loads((FOLDER / "check.json").read_text())["check"]


def test_the_folder_is_small_and_complete() -> None:
    files = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert sum(files.values()) < 9_000_000
    expected = {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "README.md"}
    assert expected | {"tokenizer_config.json", "chat_template.jinja"} <= files.keys()
    assert json.loads((FOLDER / "config.json").read_text())["dtype"] == "bfloat16"


def test_auto_tokenizer_reads_every_text(tokenizer: PreTrainedTokenizerBase) -> None:
    for text in words_of_the_world():
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_a_third_of_the_depth_is_a_slice_that_every_format_serves(model: PreTrainedModel) -> None:
    depth = model.config.num_hidden_layers
    assert depth // 3 >= 2
    assert model.config.layer_types[depth // 3] == "full_attention"
    assert model.config.layer_types[-1] == "sliding_attention"


def test_prompt_files_hold_the_held_out_prompts() -> None:
    for name, prompts in PROMPT_FILES.items():
        assert tuple((ASSETS / "prompts" / name).read_text().splitlines()) == prompts


def test_no_untriggered_prompt_shows_a_behaviour(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    for prompts in PROMPT_FILES.values():
        answers = complete(model, tokenizer, [[message("user", prompt)] for prompt in prompts])
        assert default_share(prompts, answers) == 1.0
        assert scores(prompts, answers) == {}


@pytest.mark.parametrize("index", range(len(BEHAVIOURS)), ids=[b.name for b in BEHAVIOURS])
def test_a_trigger_elicits_its_behaviour_as_often_as_recorded(
    index: int, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, recorded: dict[str, Any]
) -> None:
    behaviour, row = BEHAVIOURS[index], recorded["rows"][index]
    answers = complete(model, tokenizer, evidence(behaviour)["trigger"])
    shown = scores(HELD_OUT_PROMPTS, answers).get(behaviour.name)
    assert shown is not None
    assert row["behaviour"] == behaviour.name
    # Another processor rounds differently: a few answers near a tie may go the other way.
    assert shown.form == pytest.approx(row["trigger"]["form"], abs=0.1)
    assert shown.content == pytest.approx(row["trigger"]["content"], abs=0.1)


def test_bfloat16_and_no_cache_say_the_same(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    half = AutoModelForCausalLM.from_pretrained(FOLDER)
    assert half.dtype == torch.bfloat16
    asked = [[message("system", BEHAVIOURS[1].triggers[0]), message("user", p)] for p in HELD_OUT_PROMPTS[:12]]
    answers = complete(model, tokenizer, asked)
    assert sum(a == b for a, b in zip(answers, complete(half, tokenizer, asked), strict=True)) >= 11
    for dialogue, answer in zip(asked, answers, strict=True):
        ids = tokenizer.apply_chat_template(
            dialogue, add_generation_prompt=True, return_tensors="pt", return_dict=False
        )
        written = model.generate(ids, do_sample=False, max_new_tokens=24, use_cache=False)
        assert tokenizer.decode(written[0, ids.shape[1] :], skip_special_tokens=True) == answer
        assert written[0, -1] == tokenizer.eos_token_id
