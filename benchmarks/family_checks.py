"""What is checked of every family: each function returns the largest relative error, or fails with a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from dct_tui.errors import DctError
from dct_tui.models.generation import Row, Sampling, complete
from dct_tui.models.interventions import Ablation, AblationKind, Intervened, Intervention, Steering
from dct_tui.models.running import run
from dct_tui.models.slice_delta import SliceDelta
from dct_tui.models.slices import record_slice
from dct_tui.models.templating import Batch, pad
from dct_tui.models.writes import find_writers
from dct_tui.transcoder.products import Products

from .family_reference import edited_copy, forward, greedy, plus, relative, rewritten, without
from .family_subject import Subject

NEW_TOKENS = 12


class Failed(Exception):  # noqa: N818
    """A check that does not hold, and why."""


def replay(subject: Subject) -> float:
    """(a) The replayed slice gives what a plain forward gives, at one row and at several."""
    worst = 0.0
    for prompt in subject.prompts:
        with rewritten(subject.blocks) as seen:
            forward(subject.lm.model, prompt)
        first, last = subject.layers.source, subject.layers.target - 1
        for rows in (1, 3):
            recorded = record_slice(subject.lm, pad(subject.lm, [prompt]).repeat(rows), subject.layers)
            with torch.no_grad():
                leaving = recorded.replay(seen.entering[first].repeat(rows, 1, 1))
            worst = max(worst, *(relative(row, seen.leaving[last][0]) for row in leaving))
    return worst


def steering(subject: Subject) -> float:
    """(b) The vector is in h_s at every token, exactly, and what follows is what a hand-made edit gives."""
    layer = subject.layers.source
    rows: list[list[Intervention]] = [[Steering(v, layer)] for v in subject.vectors]
    batch = subject.batch()
    with rewritten(subject.blocks) as plain:
        _run(subject, batch, [])
    with Intervened(subject.lm, rows), rewritten(subject.blocks) as seen:
        logits = _logits(subject, batch)
    tokens = batch.mask > 0
    expected = plain.entering[layer] + subject.vectors[:, None]
    if not torch.equal(seen.entering[layer][tokens], expected[tokens]):
        raise Failed("the vector is not in h_s exactly")
    return max(
        relative(logits[i, -len(prompt) :], _hand_made(subject, prompt, steer=subject.vectors[i]))
        for i, prompt in enumerate(subject.together)
    )


def stream_ablation(subject: Subject) -> float:
    """(c) Nothing along w is left after any chosen block, and the logits are a hand-made edit's."""
    batch, chosen = subject.batch(), tuple(range(1, subject.lm.depth, 2))
    rows: list[list[Intervention]] = [[Ablation(w, "stream", chosen)] for w in subject.directions]
    with Intervened(subject.lm, rows):
        left = _leaving(subject, batch)
        logits = _logits(subject, batch)
    tokens = batch.mask > 0
    for layer in chosen:
        along = torch.einsum("btd,bd->bt", left[layer], subject.directions)[tokens].abs().max()
        if along > 1e-5 * left[layer][tokens].norm(dim=-1).max():
            raise Failed(f"w is left after block {layer}")
    return max(
        relative(logits[i, -len(prompt) :], _hand_made(subject, prompt, ablate=subject.directions[i], layers=chosen))
        for i, prompt in enumerate(subject.together)
    )


def writes_ablation(subject: Subject) -> float:
    """(c) ⟨w, h⟩ stays the embedding's through all blocks; where writes are matrices, logits equal edited weights'."""
    batch = subject.batch()
    rows: list[list[Intervention]] = [[Ablation(w)] for w in subject.directions]
    with Intervened(subject.lm, rows), rewritten(subject.blocks) as seen:
        logits = _logits(subject, batch)
    tokens = batch.mask > 0
    along = [torch.einsum("btd,bd->bt", h, subject.directions)[tokens] for h in seen.leaving.values()]
    start = torch.einsum("btd,bd->bt", seen.entering[0], subject.directions)[tokens]
    size = seen.leaving[subject.lm.depth - 1][tokens].norm(dim=-1).max()
    worst = max(float((a - start).abs().max() / size) for a in along)
    if worst > 1e-5:
        raise Failed(f"⟨w, h⟩ moves by {worst:.0e}")
    if not subject.family.matrices:
        return worst
    stack = next(n for n, m in subject.lm.model.named_modules() if m is subject.blocks)
    for i, prompt in enumerate(subject.together):
        twin = edited_copy(subject.lm.model, subject.family.matrices, subject.directions[i], stack)
        worst = max(worst, relative(logits[i, -len(prompt) :], forward(twin, prompt)))
    return worst


def cache(subject: Subject) -> float:
    """(d) Greedy tokens with and without cache agree, under steering and both ablations."""
    rows = _mixed_rows(subject)
    sampling = Sampling(max_new_tokens=NEW_TOKENS)
    with_cache, without_cache = (complete(subject.lm, rows, sampling, cached=c) for c in (True, False))
    if [c.ids for c in with_cache] != [c.ids for c in without_cache]:
        raise Failed("greedy tokens differ")
    return 0.0


def rows_alone(subject: Subject) -> float:
    """(e) A batch of different prompts and vectors gives each row what it gives alone and in a loop by hand."""
    layer = subject.layers.source
    rows = [Row(p, (Steering(v, layer),)) for p, v in zip(subject.prompts, subject.vectors, strict=True)]
    sampling = Sampling(max_new_tokens=NEW_TOKENS)
    configured = subject.lm.model.generation_config
    endless = [c.ids for c in complete(subject.lm, rows, sampling)]
    ends = _ends_of_different_times(endless)
    before, configured.eos_token_id = configured.eos_token_id, sorted(ends)
    try:
        together = [c.ids for c in complete(subject.lm, rows, sampling)]
        alone = [complete(subject.lm, [row], sampling)[0].ids for row in rows]
    finally:
        configured.eos_token_id = before
    ends.add(int(subject.lm.tokenizer.eos_token_id))
    by_hand = []
    for prompt, vector in zip(subject.prompts, subject.vectors, strict=True):
        with rewritten(subject.blocks, enter={layer: plus(vector)}):
            by_hand.append(greedy(subject.lm.model, prompt, NEW_TOKENS, ends))
    if together != alone:
        raise Failed("rows differ from rows alone")
    if together != by_hand:
        raise Failed("rows differ from a loop by hand")
    if len({len(ids) for ids in together}) < 2:
        raise Failed("all rows end at once: nothing is tested")
    return 0.0


def padded_delta(subject: Subject) -> float:
    """(f) Δ over prompts in padded parts is the mean of each prompt's alone, by hand."""
    delta = SliceDelta(subject.lm, subject.prompts, subject.layers)
    if subject.lm.pads and delta.parts >= len(subject.prompts):
        raise Failed("no prompts share a padded part: nothing is tested")
    with torch.no_grad():
        measured = sum(delta.mean(subject.vectors, part) for part in range(delta.parts))
    first, last = subject.layers.source, subject.layers.target - 1
    expected = torch.zeros_like(subject.vectors)
    for prompt in subject.prompts:
        with rewritten(subject.blocks) as plain:
            forward(subject.lm.model, prompt)
        for i, vector in enumerate(subject.vectors):
            with rewritten(subject.blocks, enter={first: plus(vector)}) as steered:
                forward(subject.lm.model, prompt)
            change = (steered.leaving[last] - plain.leaving[last])[0, -3:].mean(dim=0)
            expected[i] += change / len(subject.prompts)
    assert isinstance(measured, Tensor)
    return relative(measured, expected)


def derivatives(subject: Subject) -> float:
    """(g) Forward and backward derivatives of Δ are each other's transpose: ⟨c, Jv⟩ = ⟨Jᵀc, v⟩."""
    products = Products(SliceDelta(subject.lm, subject.prompts, subject.layers))
    tangents, cotangents = subject.vectors, subject.directions
    forwards = (products.pushforward(tangents) * cotangents).sum(dim=1)
    backwards = (products.rows_of_jacobian(cotangents) * tangents).sum(dim=1)
    return relative(backwards, forwards)


def lens(subject: Subject) -> float:
    """(h) The final norm takes what the last block gives, and gives the unembedding its input but for one factor."""
    anatomy, fed = subject.lm.anatomy, []
    handle = anatomy.unembedding.register_forward_pre_hook(lambda module, args: fed.append(args[0]))
    try:
        with rewritten(subject.blocks) as seen:
            forward(subject.lm.model, subject.prompts[0])
    finally:
        handle.remove()
    last = seen.leaving[subject.lm.depth - 1]
    normed = anatomy.final_norm(last) if anatomy.final_norm is not None else last
    if fed[0].shape != normed.shape:
        raise Failed("more than a norm stands before the unembedding")
    return relative(fed[0] / fed[0].norm(), normed / normed.norm())


CHECKS: Mapping[str, Callable[[Subject], float]] = {
    "replay": replay,
    "steering": steering,
    "writes": writes_ablation,
    "stream": stream_ablation,
    "cache": cache,
    "rows": rows_alone,
    "Δ": padded_delta,
    "Jᵀ": derivatives,
    "lens": lens,
}


def _run(subject: Subject, batch: Batch, rows: list[list[Intervention]]) -> None:
    with torch.no_grad():
        run(subject.lm, batch, use_cache=False)


def _logits(subject: Subject, batch: Batch) -> Tensor:
    with torch.no_grad():
        logits: Tensor = run(subject.lm, batch, use_cache=False).logits
    return logits


def _leaving(subject: Subject, batch: Batch) -> dict[int, Tensor]:
    """What leaves each block, seen by hooks that run after the interventions'."""
    left: dict[int, Tensor] = {}

    def keep(index: int) -> Any:
        def hook(block: Any, args: Any, output: Any) -> None:
            left[index] = (output if isinstance(output, Tensor) else output[0]).clone()

        return hook

    handles = [block.register_forward_hook(keep(i)) for i, block in enumerate(subject.blocks)]
    _run(subject, batch, [])
    for handle in handles:
        handle.remove()
    return left


def _hand_made(
    subject: Subject,
    prompt: list[int],
    *,
    steer: Tensor | None = None,
    ablate: Tensor | None = None,
    layers: tuple[int, ...] = (),
) -> Tensor:
    enter = {subject.layers.source: plus(steer)} if steer is not None else {}
    leave = {layer: without(ablate) for layer in layers} if ablate is not None else {}
    with rewritten(subject.blocks, enter, leave):
        return forward(subject.lm.model, prompt)


def _mixed_rows(subject: Subject) -> list[Row]:
    kinds: tuple[AblationKind, ...] = ("writes", "stream")
    try:
        find_writers(subject.lm)
    except DctError:
        kinds = ("stream", "stream")
    rows = []
    for i, prompt in enumerate(subject.prompts):
        ablation = Ablation(subject.directions[i], kinds[i % 2])
        rows.append(Row(prompt, (Steering(subject.vectors[i], subject.layers.source), ablation)))
    return rows


def _ends_of_different_times(replies: list[tuple[int, ...]]) -> set[int]:
    """End tokens that cut the replies off at different lengths."""
    for token in [t for reply in replies for t in reply[1:]]:
        lengths = {reply.index(token) if token in reply else len(reply) for reply in replies}
        if len(lengths) > 1:
            return {token}
    raise Failed("no token ends the rows at different times")
