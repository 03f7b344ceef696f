"""Generating text: one loop for streamed chat and for samples of many features at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor, TemperatureLogitsWarper, TopPLogitsWarper

from .interventions import Intervened, Intervention
from .loading import LanguageModel
from .running import next_token_logits
from .templating import pad


@dataclass(frozen=True)
class Sampling:
    """How tokens are chosen.

    Attributes:
        max_new_tokens: where a reply is cut off.
        temperature: 0 is greedy.
        top_p: share of probability that is kept.
        seed: of the draw; a row's draws depend on the seed and on its own tokens alone.
    """

    max_new_tokens: int = 64
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class Row:
    """One text to be continued: its token ids, and what is done to the model while it is."""

    ids: Sequence[int]
    interventions: Sequence[Intervention] = ()


@dataclass(frozen=True)
class Token:
    """A new token of one row; `ends` where it is an end token, which is no part of the text."""

    row: int
    id: int
    ends: bool


@dataclass(frozen=True)
class Completion:
    """A finished reply.

    Attributes:
        ids: new tokens, the end token left out.
        text: the same, decoded.
        ended: whether the model ended it; False where it was cut off.
    """

    ids: tuple[int, ...]
    text: str
    ended: bool


def complete(lm: LanguageModel, rows: Sequence[Row], sampling: Sampling, *, cached: bool = True) -> list[Completion]:
    """Replies to all rows, in one batch."""
    ids: list[list[int]] = [[] for _ in rows]
    ended = [False] * len(rows)
    for token in stream(lm, rows, sampling, cached=cached):
        ended[token.row] = token.ends
        if not token.ends:
            ids[token.row].append(token.id)
    return [Completion(tuple(tokens), decode(lm, tokens), end) for tokens, end in zip(ids, ended, strict=True)]


def decode(lm: LanguageModel, ids: Sequence[int]) -> str:
    """Tokens as text."""
    return str(lm.tokenizer.decode(list(ids), skip_special_tokens=True)).strip()


@torch.no_grad()
def stream(lm: LanguageModel, rows: Sequence[Row], sampling: Sampling, *, cached: bool = True) -> Iterator[Token]:
    """New tokens, step by step, of all rows at once; finished rows leave the batch.

    The cache is made anew for every call, so it always belongs to the interventions in force.

    Args:
        cached: False runs the whole text again at every token (for comparison).
    """
    ends = end_tokens(lm)
    batch = pad(lm, [row.ids for row in rows])
    ids, mask, fresh, cache = batch.ids, batch.mask, batch.ids, None
    present, unfinished = list(range(len(rows))), set(range(len(rows)))
    choosers = [_Chooser(sampling) for _ in rows]
    with Intervened(lm, [row.interventions for row in rows]) as intervened:
        for _ in range(sampling.max_new_tokens):
            logits, cache = next_token_logits(lm, fresh, mask, cache)
            chosen = [choosers[row].choose(logits[place]) for place, row in enumerate(present)]
            for row, token in zip(present, chosen, strict=True):
                if row in unfinished:
                    yield Token(row, token, token in ends)
            unfinished -= {row for row, token in zip(present, chosen, strict=True) if token in ends}
            if not unfinished:
                return
            column = torch.tensor(chosen, device=ids.device)[:, None]
            ids, mask = torch.cat([ids, column], 1), torch.cat([mask, torch.ones_like(column)], 1)
            if len(unfinished) < len(present) and _can_drop(cache):
                remain = torch.tensor([i for i, row in enumerate(present) if row in unfinished], device=ids.device)
                ids, mask, present = ids[remain], mask[remain], [present[i] for i in remain.tolist()]
                intervened.keep(remain)
                cache.batch_select_indices(remain)
            fresh = ids[:, -1:]
            if not cached:
                fresh, cache = ids, None


def end_tokens(lm: LanguageModel) -> set[int]:
    """Ids that end a reply: the generation config's, and the tokenizer's own."""
    configured = lm.model.generation_config.eos_token_id if lm.model.generation_config else None
    listed = configured if isinstance(configured, list) else [configured]
    return {int(token) for token in [*listed, lm.tokenizer.eos_token_id] if token is not None}


class _Chooser:
    """Chooses one row's next tokens, from its own random stream: company changes no draw."""

    def __init__(self, sampling: Sampling) -> None:
        self.greedy = sampling.temperature == 0
        self.generator = torch.Generator().manual_seed(sampling.seed)
        self.warpers: list[LogitsProcessor] = []
        if not self.greedy:
            self.warpers.append(TemperatureLogitsWarper(float(sampling.temperature)))
            if sampling.top_p < 1:
                self.warpers.append(TopPLogitsWarper(sampling.top_p))

    def choose(self, logits: Tensor) -> int:
        if self.greedy:
            return int(logits.argmax())
        scores: Any = logits.float().cpu()[None]
        for warper in self.warpers:
            scores = warper(None, scores)
        return int(torch.multinomial(scores.softmax(dim=-1)[0], 1, generator=self.generator))


def _can_drop(cache: Any) -> bool:
    layers = getattr(cache, "layers", None) or []
    return len(layers) > 0 and all(hasattr(layer, "batch_select_indices") for layer in layers)
