"""Steering and ablation, each by its own definition."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks.family_reference import edited_copy, forward, plus, rewritten, without
from dct_tui.errors import DctError
from dct_tui.models.interventions import Ablation, Intervened, Intervention, Steering
from dct_tui.models.loading import LanguageModel, open_model
from dct_tui.models.running import run
from dct_tui.models.templating import pad
from dct_tui.models.writes import find_writers

Opened = Callable[[str], LanguageModel]
Draw = Callable[..., Tensor]
PROMPT = [1, 20, 30, 40, 50, 60, 70]
CLOSE = {"rtol": 1e-4, "atol": 1e-4}


def logits(lm: LanguageModel, *interventions: Intervention) -> Tensor:
    with Intervened(lm, [interventions]), torch.no_grad():
        result: Tensor = run(lm, pad(lm, [PROMPT]), use_cache=False).logits[0]
    return result


@pytest.mark.parametrize("family", ["Llama", "Falcon, new", "GPT-J", "Gemma 3 text"])
def test_a_vector_is_added_where_it_is_meant_to_be(opened: Opened, random: Draw, family: str) -> None:
    lm, vector = opened(family), random(opened(family).width)
    with rewritten(list(lm.anatomy.blocks)) as plain:
        forward(lm.model, PROMPT)
    with Intervened(lm, [[Steering(vector, 3)]]), rewritten(list(lm.anatomy.blocks)) as seen:
        forward(lm.model, PROMPT)
    assert torch.equal(seen.entering[3], plain.entering[3] + vector)
    assert torch.equal(seen.entering[2], plain.entering[2])
    measured = logits(lm, Steering(vector, 3))
    with rewritten(list(lm.anatomy.blocks), enter={3: plus(vector)}):
        torch.testing.assert_close(measured, forward(lm.model, PROMPT), **CLOSE)


def test_vectors_add_up(opened: Opened, random: Draw) -> None:
    lm = opened("Llama")
    a, b = random(lm.width), random(lm.width)
    torch.testing.assert_close(logits(lm, Steering(a, 2), Steering(b, 2)), logits(lm, Steering(a + b, 2)), **CLOSE)
    both = logits(lm, Steering(a, 2), Steering(b, 4))
    with rewritten(list(lm.anatomy.blocks), enter={2: plus(a), 4: plus(b)}):
        torch.testing.assert_close(both, forward(lm.model, PROMPT), **CLOSE)


@pytest.mark.parametrize(
    ("family", "matrices"),
    [
        ("Llama", ("o_proj", "down_proj")),
        ("GPT-2", ("c_proj",)),
        ("Falcon, new", ("dense", "dense_4h_to_h")),
        ("Cohere", ("o_proj", "down_proj")),
        ("Granite", ("o_proj", "down_proj")),
    ],
)
def test_ablated_writes_are_edited_weights(
    opened: Opened, random: Draw, family: str, matrices: tuple[str, ...]
) -> None:
    lm, direction = opened(family), random(opened(family).width)
    stack = next(name for name, module in lm.model.named_modules() if module is lm.anatomy.blocks)
    twin = edited_copy(lm.model, matrices, direction, stack)
    measured = logits(lm, Ablation(direction))
    torch.testing.assert_close(measured, forward(twin, PROMPT), **CLOSE)
    assert float((measured - forward(lm.model, PROMPT)).abs().max()) > 0.01, "the ablation does something"


@pytest.mark.parametrize("family", ["Gemma 3 text", "OLMo 2", "Mixtral", "GPT-OSS", "Falcon-H1"])
def test_ablated_writes_leave_the_embeddings_part(opened: Opened, random: Draw, family: str) -> None:
    lm, direction = opened(family), random(opened(family).width)
    unit = direction / direction.norm()
    with Intervened(lm, [[Ablation(direction)]]), rewritten(list(lm.anatomy.blocks)) as seen:
        forward(lm.model, PROMPT)
    start = seen.entering[0] @ unit
    assert float(start.abs().max()) > 0.1
    for hidden in seen.leaving.values():
        torch.testing.assert_close(hidden @ unit, start, **CLOSE)


def test_writes_are_ablated_in_chosen_layers_only(opened: Opened, random: Draw) -> None:
    lm, direction = opened("Llama"), random(opened("Llama").width)
    twin = edited_copy(lm.model, ("o_proj", "down_proj"), direction, "model.layers.2")
    torch.testing.assert_close(logits(lm, Ablation(direction, layers=(2,))), forward(twin, PROMPT), **CLOSE)


@pytest.mark.parametrize("family", ["Llama", "GPT-J", "OPT, post-norm"])
def test_ablated_stream(opened: Opened, random: Draw, family: str) -> None:
    lm, direction = opened(family), random(opened(family).width)
    measured = logits(lm, Ablation(direction, "stream", (1, 4)))
    clean = without(direction)
    with rewritten(list(lm.anatomy.blocks), leave={1: clean, 4: clean}):
        torch.testing.assert_close(measured, forward(lm.model, PROMPT), **CLOSE)


def test_the_two_kinds_differ(opened: Opened, random: Draw) -> None:
    lm, direction = opened("Llama"), random(opened("Llama").width)
    difference = logits(lm, Ablation(direction)) - logits(lm, Ablation(direction, "stream"))
    assert float(difference.abs().max()) > 0.1


def test_several_directions_are_ablated_together(opened: Opened, random: Draw) -> None:
    lm = opened("Llama")
    a, b = random(lm.width), random(lm.width)
    ablations = [Ablation(a, "stream"), Ablation(a + b, "stream"), Ablation(2 * a, "stream")]
    with Intervened(lm, [ablations]), rewritten(list(lm.anatomy.blocks)) as seen:
        forward(lm.model, PROMPT)
    for layer in range(1, lm.depth):
        for direction in (a, b):
            assert float((seen.entering[layer] @ direction).abs().max()) < 1e-3


def test_every_row_has_its_own(opened: Opened, random: Draw) -> None:
    lm = opened("Llama")
    v, w, u = (random(lm.width) for _ in range(3))
    rows: list[list[Intervention]] = [
        [Steering(v, 2)],
        [],
        [Ablation(w)],
        [Steering(u, 4), Ablation(w, "stream", (3,))],
    ]
    with Intervened(lm, rows) as intervened, torch.no_grad():
        together = run(lm, pad(lm, [PROMPT] * 4), use_cache=False).logits
        intervened.keep(torch.tensor([3, 1]))
        fewer = run(lm, pad(lm, [PROMPT] * 2), use_cache=False).logits
    alone = [logits(lm, *row) for row in rows]
    for measured, expected in zip(together, alone, strict=True):
        torch.testing.assert_close(measured, expected, **CLOSE)
    torch.testing.assert_close(fewer, torch.stack([alone[3], alone[1]]), **CLOSE)


def test_nothing_is_left_behind(opened: Opened, random: Draw) -> None:
    lm = opened("Llama")
    before = forward(lm.model, PROMPT)
    with pytest.raises(KeyError), Intervened(lm, [[Steering(random(lm.width), 0), Ablation(random(lm.width))]]):
        raise KeyError
    assert torch.equal(forward(lm.model, PROMPT), before)


@pytest.mark.parametrize(
    ("intervention", "complaint"),
    [
        (Steering(torch.ones(7), 0), "does not fit a model of width 48"),
        (Steering(torch.ones(48), 6), "no block 6"),
        (Steering(torch.ones(48), -1), "no block -1"),
        (Steering(torch.full((48,), float("nan")), 0), "not finite"),
        (Ablation(torch.zeros(48)), "no length"),
        (Ablation(torch.ones(48), "stream", (2, 9)), "no block 9"),
    ],
)
def test_interventions_that_cannot_be(opened: Opened, intervention: Intervention, complaint: str) -> None:
    with pytest.raises(DctError, match=complaint):
        Intervened(opened("Llama"), [[intervention]])


@pytest.mark.parametrize("family", ["OPT, post-norm", "RWKV"])
def test_writes_that_cannot_be_told_apart_are_refused(opened: Opened, random: Draw, family: str) -> None:
    lm = opened(family)
    with pytest.raises(DctError, match="--ablation stream"):
        Intervened(lm, [[Ablation(random(lm.width))]])


@pytest.mark.parametrize("dtype", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("Gemma 3 text", {"post_attention_layernorm", "post_feedforward_layernorm"}),
        ("LFM2", {"conv", "self_attn", "feed_forward"}),
        ("Jamba", {"mamba", "self_attn", "feed_forward"}),
        ("Falcon-H1", {"mamba", "self_attn", "feed_forward"}),
    ],
)
def test_writers_are_found_in_any_precision(
    folder_of: Callable[[str], Path], family: str, dtype: str, expected: set[str]
) -> None:
    lm = open_model(str(folder_of(family)), device="cpu", dtype=dtype)  # type: ignore[arg-type]
    found = find_writers(lm)
    names = [
        {next(name for name, child in block.named_children() if writer in set(child.modules())) for writer in writers}
        for block, writers in zip(lm.anatomy.blocks, found, strict=True)
    ]
    assert set().union(*names) == expected
    assert {len(writers) for writers in found} == {3 if family == "Falcon-H1" else 2}
