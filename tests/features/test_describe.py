from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from dct_tui.errors import DctError
from dct_tui.features.describe import neighbours
from dct_tui.features.divergence import Divergence
from dct_tui.features.words import contrast_direction, lens, promoted_words
from dct_tui.models.interventions import Steering
from dct_tui.models.loading import LanguageModel, open_model

PROMPTS = ([3, 20, 30, 40, 1, 4], [3, 50, 60, 4])
LAYER, TOKENS = 2, 7


@pytest.fixture(scope="module")
def lm(llama: Path) -> LanguageModel:
    return open_model(str(llama))


def log_probabilities(lm: LanguageModel, ids: list[int], vector: Tensor) -> Tensor:
    """By transformers alone, in float64: one text, unpadded, the vector added to what enters the block."""
    model = lm.model.double()
    hook = model.model.layers[LAYER].register_forward_pre_hook(
        lambda block, args, kwargs: ((args[0] + vector.double(), *args[1:]), kwargs), with_kwargs=True
    )
    try:
        with torch.no_grad():
            return model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
    finally:
        hook.remove()
        model.float()


def test_divergence_is_the_mean_over_the_unsteered_completions(lm: LanguageModel) -> None:
    vector = torch.randn(lm.width, generator=torch.Generator().manual_seed(1))
    total, count = 0.0, 0
    for prompt in PROMPTS:
        ids = list(prompt)
        for _ in range(TOKENS):
            token = int(log_probabilities(lm, ids, torch.zeros(lm.width))[-1].argmax())
            if token == lm.tokenizer.eos_token_id:
                break
            ids.append(token)
        before, after = (log_probabilities(lm, ids, v) for v in (torch.zeros(lm.width), vector))
        for place in range(len(prompt) - 1, len(ids) - 1):
            total += float((after[place].exp() * (after[place] - before[place])).sum())
            count += 1
    rows = [[Steering(vector, LAYER)], [Steering(torch.zeros(lm.width), LAYER)], []]
    found, none, nothing = Divergence(lm, PROMPTS, TOKENS).of(rows)
    assert found == pytest.approx(total / count, rel=1e-4)
    assert found > 0.01
    assert abs(none) < 1e-6 and abs(nothing) < 1e-6


def test_divergence_does_not_depend_on_the_company(lm: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [[Steering(torch.randn(lm.width), LAYER)] for _ in range(5)]
    divergence = Divergence(lm, PROMPTS, TOKENS)
    together = divergence.of(rows)
    monkeypatch.setattr("dct_tui.features.divergence.LOGITS_AT_ONCE", 1)
    assert divergence.of(rows) == pytest.approx(together, rel=1e-4)


def test_words_are_those_the_unembedding_ranks_first(lm: LanguageModel) -> None:
    directions = torch.randn(lm.width, 3, generator=torch.Generator().manual_seed(0))
    norm, head = lm.model.model.norm, lm.model.lm_head.weight.double()
    for column, words in zip(directions.T, promoted_words(lm, directions, 4), strict=True):
        unit = column.double() / column.double().square().mean().sqrt()
        best = (head @ (unit * norm.weight.double())).topk(4).indices
        for word, token in zip(words, best, strict=True):
            assert word == (lm.tokenizer.decode([int(token)]).strip() or word)


def test_the_lens_of_a_layer_norm_leaves_its_bias_out(tmp_path: Path) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    from tests.conftest import SPECIAL, save_tokenizer

    torch.manual_seed(0)
    sizes: dict[str, Any] = {"n_embd": 24, "n_layer": 3, "n_head": 2, "n_positions": 64, "bos_token_id": 1}
    model = GPT2LMHeadModel(GPT2Config(vocab_size=len(SPECIAL) + 256, eos_token_id=1, pad_token_id=0, **sizes))
    torch.nn.init.normal_(model.transformer.ln_f.bias, std=5.0)
    torch.nn.init.normal_(model.transformer.ln_f.weight, mean=1.0, std=0.5)
    model.save_pretrained(tmp_path)
    save_tokenizer(tmp_path)
    lm = open_model(str(tmp_path))
    direction = torch.randn(24, generator=torch.Generator().manual_seed(0))
    final, head = lm.model.transformer.ln_f, lm.model.lm_head.weight.double()
    centred = direction.double() - direction.double().mean()
    expected = head @ (centred / centred.square().mean().sqrt() * final.weight.double())
    assert torch.allclose(lens(lm, direction[None])[0].double(), expected, atol=1e-3)


def test_the_contrast_is_a_difference_of_unembeddings(lm: LanguageModel) -> None:
    sure, sorry = (lm.tokenizer(word)["input_ids"][0] for word in ("Yes", "No"))
    head = lm.model.lm_head.weight
    assert torch.equal(contrast_direction(lm, "Yes", "No"), head[sure] - head[sorry])
    with pytest.raises(DctError, match="begin with the same token"):
        contrast_direction(lm, "Same", "Sane")


def test_neighbours_are_the_nearest_others() -> None:
    angles = torch.tensor([0.0, 0.1, 1.0, 3.0])
    V = torch.stack([angles.cos(), angles.sin()])
    nearest = neighbours(V, 2)
    assert [[index for index, _ in row] for row in nearest] == [[1, 2], [0, 2], [1, 0], [2, 1]]
    assert nearest[0][0][1] == pytest.approx(math.cos(0.1), abs=1e-6)
    assert neighbours(V[:, :1]) == [[]]
