"""Slices and the Δ over them, against plain hooks and finite differences."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from benchmarks.family_reference import forward, plus, rewritten
from dct_tui.errors import DctError
from dct_tui.models.loading import LanguageModel
from dct_tui.models.slice_delta import SliceDelta
from dct_tui.models.slices import LayerRange, default_range, record_slice
from dct_tui.models.templating import pad
from dct_tui.transcoder.products import Products, sum_parts

Opened = Callable[[str], LanguageModel]
PROMPTS = [[1, 20, 30, 40, 50, 60, 70, 80], [1, 21, 31, 41, 51, 61, 71], [1, 9]]
LAYERS = LayerRange(1, 4)


def by_hand(lm: LanguageModel, prompts: list[list[int]], theta: Tensor, layers: LayerRange, positions: int) -> Tensor:
    """Δ(θ) of one θ, each prompt alone, unpadded, by wrapped forwards."""
    total = torch.zeros_like(theta)
    blocks = list(lm.anatomy.blocks)
    for prompt in prompts:
        with rewritten(blocks) as plain:
            forward(lm.model, prompt)
        with rewritten(blocks, enter={layers.source: plus(theta)}) as steered:
            forward(lm.model, prompt)
        change = steered.leaving[layers.target - 1] - plain.leaving[layers.target - 1]
        total += change[0, -positions:].mean(dim=0) / len(prompts)
    return total


@pytest.mark.parametrize(
    ("layers", "complaint"),
    [
        (LayerRange(3, 3), "not below"),
        (LayerRange(4, 2), "not below"),
        (LayerRange(6, 7), "no block 6"),
        (LayerRange(-1, 2), "no block -1"),
        (LayerRange(2, 7), "beyond the 6 blocks"),
    ],
)
def test_slices_that_are_none(opened: Opened, layers: LayerRange, complaint: str) -> None:
    with pytest.raises(DctError, match=complaint):
        SliceDelta(opened("Llama"), PROMPTS, layers)


@pytest.mark.parametrize(
    ("depth", "source", "target"), [(32, 10, 20), (28, 9, 19), (12, 4, 11), (6, 2, 5), (2, 0, 1), (1, 0, 1)]
)
def test_the_slice_that_is_taken_by_default(depth: int, source: int, target: int) -> None:
    layers = default_range(depth)
    assert layers == LayerRange(source, target)
    layers.check(depth)


@pytest.mark.parametrize("family", ["Llama", "Gemma 3 text", "Falcon, alibi", "Falcon-H1"])
def test_a_replayed_slice_is_what_the_model_computes(opened: Opened, family: str) -> None:
    lm = opened(family)
    recorded = record_slice(lm, pad(lm, [PROMPTS[0]]), LAYERS)
    with rewritten(list(lm.anatomy.blocks)) as seen:
        forward(lm.model, PROMPTS[0])
    torch.testing.assert_close(recorded.entering, seen.entering[1], rtol=1e-5, atol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(recorded.replay(seen.entering[1]), seen.leaving[3], rtol=1e-5, atol=1e-5)


def test_a_slice_to_the_end_has_no_final_norm(opened: Opened, random: Callable[..., Tensor]) -> None:
    lm = opened("Llama")
    theta, layers = random(lm.width), LayerRange(2, 6)
    delta = SliceDelta(lm, PROMPTS[:1], layers)
    expected = by_hand(lm, PROMPTS[:1], theta, layers, 3)
    torch.testing.assert_close(delta.mean(theta[None])[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", ["Llama", "Qwen2, local and global", "LFM2", "Mamba"])
def test_delta_is_the_mean_of_prompts_alone(opened: Opened, random: Callable[..., Tensor], family: str) -> None:
    lm = opened(family)
    delta = SliceDelta(lm, PROMPTS, LAYERS)
    assert delta.parts == (2 if lm.pads else 3)  # 8 and 7 tokens share a padded batch, 2 do not
    theta = random(2, lm.width)
    measured = sum_parts(delta, theta)
    for row, point in zip(measured, theta, strict=True):
        torch.testing.assert_close(row, by_hand(lm, PROMPTS, point, LAYERS, 3), rtol=1e-4, atol=1e-5)


def test_a_prompt_shorter_than_the_target_positions_counts_as_much(
    opened: Opened, random: Callable[..., Tensor]
) -> None:
    lm = opened("Llama")
    delta = SliceDelta(lm, PROMPTS, LAYERS, positions=8)  # the first two prompts, of 8 and 7 tokens, share a batch
    theta = random(1, lm.width)
    torch.testing.assert_close(
        sum_parts(delta, theta)[0], by_hand(lm, PROMPTS, theta[0], LAYERS, 8), rtol=1e-4, atol=1e-5
    )
    total = sum(float(delta.weights(part).sum()) for part in range(delta.parts))
    assert total == pytest.approx(1)


def test_pads_are_not_steered(opened: Opened, random: Callable[..., Tensor]) -> None:
    lm = opened("Llama")
    delta = SliceDelta(lm, PROMPTS[:2], LAYERS)
    assert delta.parts == 1
    with rewritten(list(lm.anatomy.blocks)) as seen:
        delta.outputs(torch.zeros(1, lm.width))
        plain = seen.entering[LAYERS.source]
        delta.outputs(random(1, lm.width))
    changed = (seen.entering[LAYERS.source] != plain).any(dim=-1)
    assert sorted(changed.sum(dim=1).tolist()) == [7, 8]
    assert changed.shape == (2, 8)


def test_nothing_added_changes_nothing(opened: Opened) -> None:
    delta = SliceDelta(opened("Llama"), PROMPTS, LAYERS)
    assert float(sum_parts(delta, torch.zeros(3, delta.d_in)).abs().max()) < 1e-4


def test_no_target_positions(opened: Opened) -> None:
    with pytest.raises(DctError, match="0 target positions"):
        SliceDelta(opened("Llama"), PROMPTS, LAYERS, positions=0)


@pytest.mark.parametrize("family", ["Llama", "Gemma 3 text", "GPT-2"])
def test_gradients_are_finite_differences(exact: Opened, random: Callable[..., Tensor], family: str) -> None:
    lm = exact(family)
    products = Products(SliceDelta(lm, PROMPTS, LAYERS))
    assert products.delta.dtype == torch.float64
    theta, step, along = (random(2, lm.width).double() for _ in range(3))
    _, gradient = products.pullback(theta, lambda value: along)
    # RMS norms compute in float32 whatever they are given, so the step must be large enough to stand out.
    size = 1e-3
    ahead, behind = (products.values(theta + sign * size * step) for sign in (1, -1))
    difference = ((ahead - behind) * along).sum(dim=1) / (2 * size)
    torch.testing.assert_close((gradient * step).sum(dim=1), difference, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("family", ["Llama", "Mixtral", "GPT-OSS", "Bamba"])
def test_forward_and_backward_derivatives_are_transposes(
    opened: Opened, random: Callable[..., Tensor], family: str
) -> None:
    lm = opened(family)
    products = Products(SliceDelta(lm, PROMPTS, LAYERS))
    tangent, cotangent = random(2, lm.width), random(2, lm.width)
    forwards = (products.pushforward(tangent) * cotangent).sum(dim=1)
    backwards = (products.rows_of_jacobian(cotangent) * tangent).sum(dim=1)
    torch.testing.assert_close(forwards, backwards, rtol=1e-4, atol=1e-4)


def test_experts_are_computed_as_before_after_a_forward_derivative(opened: Opened) -> None:
    lm = opened("Mixtral")
    usual = lm.model.get_experts_implementation()
    delta = SliceDelta(lm, PROMPTS, LAYERS)
    with pytest.raises(KeyError), delta.forward_mode():
        assert lm.model.get_experts_implementation() != usual
        raise KeyError
    assert lm.model.get_experts_implementation() == usual


def test_rows_of_any_number_give_the_same(opened: Opened, random: Callable[..., Tensor]) -> None:
    lm = opened("Llama")
    delta = SliceDelta(lm, PROMPTS, LAYERS)
    theta = random(7, lm.width)
    whole = Products(delta, 7).values(theta)
    for rows in (1, 2, 3, 4, 5, 6):
        torch.testing.assert_close(Products(delta, rows).values(theta), whole, rtol=1e-4, atol=1e-5)


def test_the_reference_norm_leaves_first_tokens_out(opened: Opened) -> None:
    lm = opened("Llama")
    norms = []
    for prompt in PROMPTS:
        with rewritten(list(lm.anatomy.blocks)) as seen:
            forward(lm.model, prompt)
        norms.append(seen.entering[1][0, 1:].norm(dim=-1))
    expected = float(torch.cat(norms).median())
    assert SliceDelta(lm, PROMPTS, LAYERS).reference_norm == pytest.approx(expected, rel=1e-4)
