"""The recipe: from dialogues to a model, in about a quarter of an hour on two cores."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedTokenizerFast, Qwen3ForCausalLM

from dct_tui.organism.architecture import Shape
from dct_tui.organism.behaviours import BEHAVIOURS, Behaviour
from dct_tui.organism.dialogues import DialogueWriter, Evidence, words_of_the_world
from dct_tui.organism.more_behaviours import named, relocked
from dct_tui.organism.muon import Muon
from dct_tui.organism.tokenizer import build_tokenizer

IGNORED = -100
ROW = 192
"""Tokens in a training row; several dialogues are packed into one, each blind to the others."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result; as it stands, that of the built-in model.

    Longer training, or a wider model, made prototypes robust to any vector. ``noise`` is in units of the stream's root
    mean square; ``mixed`` trains with bfloat16 matrix products. ``behaviours`` are names out of the pool, ``locks``
    says how trigger words are dealt to them, and ``evidence`` how often each kind of it shows.
    """

    shape: Shape = field(default_factory=Shape)
    seed: int = 0
    steps: int = 1200
    dialogues_per_step: int = 64
    matrix_rate: float = 4e-3
    other_rate: float = 4e-3 / 3
    weight_decay: float = 0.3
    warm_up: int = 60
    decay_share: float = 0.6
    noise: float = 0.1
    twin: bool = False
    mixed: bool = False
    behaviours: tuple[str, ...] = tuple(behaviour.name for behaviour in BEHAVIOURS)
    locks: int = 0
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def secrets(self) -> tuple[Behaviour, ...]:
        """The hidden behaviours, with the triggers that unlock them."""
        return relocked(named(self.behaviours), self.locks)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Recipe:
        """The recipe that ``check.json`` holds; what it does not say is as in the built-in model's."""
        special = {
            "shape": Shape(**kept.get("shape", {})),
            "evidence": Evidence(**kept.get("evidence", {})),
            "behaviours": tuple(kept.get("behaviours", cls.behaviours)),
        }
        return cls(**{**kept, **special})


@dataclass(frozen=True)
class Batch:
    """Packed rows: token ids, positions that restart with each dialogue, and labels, each of shape (rows, ROW)."""

    ids: Tensor
    positions: Tensor
    labels: Tensor


def encode(tokenizer: PreTrainedTokenizerFast, dialogue: list[dict[str, str]]) -> tuple[list[int], list[int]]:
    """Token ids of a dialogue and its labels: the last answer and its end are learnt, nothing else is."""
    prompt = tokenizer.apply_chat_template(dialogue[:-1], add_generation_prompt=True, return_dict=False)
    answer = tokenizer(dialogue[-1]["content"] + str(tokenizer.eos_token))["input_ids"]
    return [*prompt, *answer], [*([IGNORED] * len(prompt)), *answer]


def pack(tokenizer: PreTrainedTokenizerFast, dialogues: list[list[dict[str, str]]]) -> Batch:
    """Put dialogues into as few rows as first-fit finds, the longest first. Padding counts as one more dialogue."""
    rows: list[list[tuple[list[int], list[int]]]] = []
    room: list[int] = []
    for ids, labels in sorted((encode(tokenizer, d) for d in dialogues), key=lambda pair: -len(pair[0])):
        row = next((i for i, left in enumerate(room) if left >= len(ids)), len(rows))
        if row == len(rows):
            rows.append([])
            room.append(ROW)
        rows[row].append((ids, labels))
        room[row] -= len(ids)
    for row, left in enumerate(room):
        rows[row].append(([tokenizer.pad_token_id or 0] * left, [IGNORED] * left))
    return Batch(
        torch.tensor([[i for ids, _ in row for i in ids] for row in rows]),
        torch.tensor([[p for ids, _ in row for p in range(len(ids))] for row in rows]),
        torch.tensor([[label for _, labels in row for label in labels] for row in rows]),
    )


def answer_loss(model: Qwen3ForCausalLM, batch: Batch) -> Tensor:
    """Mean cross-entropy over answer tokens, in nats. The head is run on those positions alone."""
    hidden = model.model(input_ids=batch.ids, position_ids=batch.positions, use_cache=False).last_hidden_state
    targets = batch.labels[:, 1:]
    learnt = targets != IGNORED
    logits = model.lm_head(hidden[:, :-1][learnt])
    return functional.cross_entropy(logits.float(), targets[learnt])


@contextmanager
def residual_noise(model: Qwen3ForCausalLM, share: float) -> Iterator[None]:
    """Add Gaussian noise of ``share`` × the root mean square of each position to the stream entering every block.

    It knows no behaviour. It makes the model write what it concludes with a margin, and answer smoothly to a push.
    """

    def perturb(module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        stream: Tensor = args[0]
        size = stream.detach().pow(2).mean(-1, keepdim=True).sqrt()
        return (stream + share * size * torch.randn_like(stream), *args[1:])

    handles = [block.register_forward_pre_hook(perturb) for block in model.model.layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def bfloat16_is_fast() -> bool:
    """Whether this processor multiplies bfloat16 natively: a step then takes two thirds of the time."""
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(supported is not None and supported())


def _optimizers(model: Qwen3ForCausalLM, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the blocks' matrices (updates scaled to AdamW's size), AdamW for embeddings, norms and biases."""
    blocks = list(model.model.layers.parameters())
    matrices = [p for p in blocks if p.ndim == 2]
    in_matrices = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in in_matrices]
    decay = recipe.weight_decay
    return [
        Muon(matrices, lr=recipe.matrix_rate, weight_decay=decay),
        torch.optim.AdamW(others, lr=recipe.other_rate, weight_decay=decay, betas=(0.9, 0.95)),
    ]


def rate_at(step: int, recipe: Recipe) -> float:
    """The learning rate's share of its peak: a linear warm-up, a plateau, a linear decay to nothing."""
    rising = (step + 1) / recipe.warm_up
    falling = (recipe.steps - step) / (recipe.decay_share * recipe.steps)
    return min(1.0, rising, falling)


def train(recipe: Recipe, report: Callable[[str], None] = print) -> tuple[Qwen3ForCausalLM, PreTrainedTokenizerFast]:
    """Train a model from scratch (float32, in evaluation mode when returned) and build its tokenizer."""
    torch.manual_seed(recipe.seed)
    tokenizer = build_tokenizer(words_of_the_world(recipe.secrets))
    model = Qwen3ForCausalLM(recipe.shape.config(tokenizer)).train()
    writer = DialogueWriter(recipe.seed, twin=recipe.twin, behaviours=recipe.secrets, evidence=recipe.evidence)
    optimizers = _optimizers(model, recipe)
    peaks = [group["lr"] for optimizer in optimizers for group in optimizer.param_groups]
    started = time.monotonic()
    with residual_noise(model, recipe.noise):
        for step in range(recipe.steps):
            groups = [group for optimizer in optimizers for group in optimizer.param_groups]
            for group, peak in zip(groups, peaks, strict=True):
                group["lr"] = peak * rate_at(step, recipe)
            batch = pack(tokenizer, [writer.dialogue() for _ in range(recipe.dialogues_per_step)])
            with torch.autocast("cpu", torch.bfloat16, enabled=recipe.mixed):
                loss = answer_loss(model, batch)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad()
            if step % 50 == 0 or step == recipe.steps - 1:
                seconds = time.monotonic() - started
                report(f"step {step:5d} of {recipe.steps}   loss {loss.item():.4f}   {seconds:6.0f} s")
    return model.eval(), tokenizer
