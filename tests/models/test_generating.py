"""Generated text: rows do not see each other, the cache changes nothing, ends are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from benchmarks.family_reference import greedy, plus, rewritten
from dct_tui.models.generation import Row, Sampling, complete, end_tokens, stream
from dct_tui.models.interventions import Ablation, Steering
from dct_tui.models.loading import LanguageModel

Opened = Callable[[str], LanguageModel]
Draw = Callable[..., Tensor]
PROMPTS = [[1, 20, 30, 40, 50, 60, 70], [1, 9], [1, 31, 41, 51]]


@pytest.fixture
def lm(opened: Opened) -> Iterator[LanguageModel]:
    """A Llama whose end tokens may be changed."""
    lm = opened("Llama")
    before = lm.model.generation_config.eos_token_id
    yield lm
    lm.model.generation_config.eos_token_id = before


def rows_of(lm: LanguageModel, random: Draw) -> list[Row]:
    return [Row(prompt, (Steering(random(lm.width) * 2, 2),)) for prompt in PROMPTS]


def end_early(lm: LanguageModel, rows: list[Row], sampling: Sampling) -> set[int]:
    """Makes the token an end that comes at the most different times in the rows' replies."""
    replies = [c.ids for c in complete(lm, rows, sampling)]

    def lengths(token: int) -> int:
        return len({reply.index(token) if token in reply else len(reply) for reply in replies})

    best = max((token for reply in replies for token in reply[1:]), key=lengths)
    assert lengths(best) > 1
    lm.model.generation_config.eos_token_id = [2, best]
    return {2, best}


def test_greedy_rows_are_a_loop_by_hand(lm: LanguageModel, random: Draw) -> None:
    rows = rows_of(lm, random)
    ends = end_early(lm, rows, Sampling(16))
    together = complete(lm, rows, Sampling(16))
    assert len({len(completion.ids) for completion in together}) > 1
    for row, completion in zip(rows, together, strict=True):
        (steering,) = row.interventions
        assert isinstance(steering, Steering)
        with rewritten(list(lm.anatomy.blocks), enter={2: plus(steering.vector)}):
            assert completion.ids == greedy(lm.model, row.ids, 16, ends)


@pytest.mark.parametrize("family", ["Llama", "Qwen2, local and global", "Mamba", "RecurrentGemma", "Falcon-H1"])
def test_the_cache_changes_nothing(opened: Opened, random: Draw, family: str) -> None:
    lm = opened(family)
    rows = [
        Row(PROMPTS[0], (Steering(random(lm.width) * 2, 2), Ablation(random(lm.width)))),
        Row(PROMPTS[1], (Ablation(random(lm.width), "stream"),)),
        Row(PROMPTS[2]),
    ]
    assert complete(lm, rows, Sampling(12)) == complete(lm, rows, Sampling(12), cached=False)


@pytest.mark.parametrize(("cached", "tokens"), [(True, [7, 1, 1]), (False, [7, 8, 9])])
def test_with_a_cache_only_new_tokens_are_run(lm: LanguageModel, cached: bool, tokens: list[int]) -> None:
    lengths: list[int] = []
    handle = lm.anatomy.blocks[0].register_forward_hook(lambda block, args, output: lengths.append(args[0].shape[1]))
    try:
        complete(lm, [Row(PROMPTS[0])], Sampling(3), cached=cached)
    finally:
        handle.remove()
    assert lengths == tokens


@pytest.mark.parametrize("family", ["Llama", "Mamba"])
def test_a_rows_draws_do_not_depend_on_its_company(opened: Opened, random: Draw, family: str) -> None:
    lm = opened(family)
    rows, sampling = rows_of(lm, random), Sampling(12, temperature=1.0, top_p=0.9, seed=5)
    together = complete(lm, rows, sampling)
    assert together == [complete(lm, [row], sampling)[0] for row in rows]
    assert together != complete(lm, rows, Sampling(12, temperature=1.0, top_p=0.9, seed=6))
    assert complete(lm, rows[::-1], sampling) == together[::-1]


def test_draws_follow_the_models_probabilities(lm: LanguageModel) -> None:
    with torch.no_grad():
        expected = lm.model(input_ids=torch.tensor([PROMPTS[0]])).logits[0, -1].div(2.0).softmax(dim=-1)
    counts = torch.zeros_like(expected)
    for seed in range(400):
        (token,) = [t.id for t in stream(lm, [Row(PROMPTS[0])], Sampling(1, temperature=2.0, seed=seed))]
        counts[token] += 1
    # The total variation between 400 draws and their own distribution.
    assert float((counts / 400 - expected).abs().sum()) / 2 < 0.25
    assert int(counts.argmax()) in expected.topk(3).indices


def test_the_nucleus_leaves_the_unlikely_out(lm: LanguageModel) -> None:
    with torch.no_grad():
        expected = lm.model(input_ids=torch.tensor([PROMPTS[0]])).logits[0, -1].softmax(dim=-1)
    ranked = expected.sort(descending=True)
    nucleus = set(ranked.indices[: int((ranked.values.cumsum(0) < 0.5).sum()) + 1].tolist())
    sampled = {
        token.id
        for seed in range(60)
        for token in stream(lm, [Row(PROMPTS[0])], Sampling(1, temperature=1.0, top_p=0.5, seed=seed))
    }
    assert sampled <= nucleus


def test_an_end_token_ends_a_reply_and_is_no_part_of_it(lm: LanguageModel) -> None:
    free = complete(lm, [Row(PROMPTS[0])], Sampling(8))[0]
    assert not free.ended
    assert len(free.ids) == 8
    end = free.ids[3]
    lm.model.generation_config.eos_token_id = end
    assert end_tokens(lm) == {end, lm.tokenizer.eos_token_id}
    cut = complete(lm, [Row(PROMPTS[0])], Sampling(8))[0]
    assert cut.ended
    assert cut.ids == free.ids[: free.ids.index(end)]


def test_finished_rows_leave(lm: LanguageModel, random: Draw) -> None:
    rows = rows_of(lm, random)
    end_early(lm, rows, Sampling(16))
    sizes: list[int] = []
    handle = lm.anatomy.blocks[0].register_forward_hook(lambda block, args, output: sizes.append(len(args[0])))
    try:
        complete(lm, rows, Sampling(16))
    finally:
        handle.remove()
    assert sizes[0] == 3
    assert sizes[-1] < 3
    assert sizes == sorted(sizes, reverse=True)


def test_tokens_are_streamed_and_hooks_hang_only_while_the_model_runs(lm: LanguageModel, random: Draw) -> None:
    steered = Row(PROMPTS[0], (Steering(random(lm.width) * 3, 2),))
    plain = complete(lm, [Row(PROMPTS[0])], Sampling(4))
    tokens = []
    for token in stream(lm, [steered], Sampling(4)):
        assert complete(lm, [Row(PROMPTS[0])], Sampling(4)) == plain
        tokens.append(token.id)
    assert tuple(tokens) == complete(lm, [steered], Sampling(4))[0].ids != plain[0].ids


def test_a_strength_that_changes_between_replies_leaves_nothing_in_the_cache(lm: LanguageModel, random: Draw) -> None:
    vector = random(lm.width) * 2
    first = complete(lm, [Row(PROMPTS[0], (Steering(vector, 2),))], Sampling(5))[0]
    ids = [*PROMPTS[0], *first.ids, 20, 21]
    weaker = Row(ids, (Steering(vector / 4, 2),))
    with rewritten(list(lm.anatomy.blocks), enter={2: plus(vector / 4)}):
        assert complete(lm, [weaker], Sampling(5))[0].ids != ()
    with rewritten(list(lm.anatomy.blocks), enter={2: plus(vector / 4)}):
        expected = greedy(lm.model, ids, 5, end_tokens(lm))
    assert complete(lm, [weaker], Sampling(5))[0].ids == expected


@pytest.mark.parametrize("family", ["Llama", "GPT-2"])
def test_a_reply_stops_where_the_context_is_full(opened: Opened, family: str) -> None:
    lm = opened(family)
    assert lm.context == 128
    long, short = [1] + [20 + i % 40 for i in range(124)], PROMPTS[0]
    replies = complete(lm, [Row(long), Row(short)], Sampling(10))
    assert [len(reply.ids) for reply in replies] == [3, 10]
    assert not replies[0].ended
    assert replies[1] == complete(lm, [Row(short)], Sampling(10))[0]


def test_no_rows_give_nothing(lm: LanguageModel) -> None:
    assert complete(lm, [], Sampling(4)) == []
