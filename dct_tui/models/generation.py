"""Generating text: one loop for streamed chat and for samples of many features at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor, TemperatureLogitsWarper, TopPLogitsWarper

from ..errors import DctError
from .interventions import Intervened, Intervention
from .language_model import LanguageModel
from .running import drop_rows, next_token_logits
from .templating import pad

COLDEST = 1e-6  # below, logits over temperature overflow, and the draw is greedy anyway


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


def complete(
    lm: LanguageModel,
    rows: Sequence[Row],
    sampling: Sampling,
    *,
    cached: bool = True,
    check: Callable[[], None] | None = None,
) -> list[Completion]:
    """Replies to all rows, in one batch. `check` is called at every token; what it raises ends the work."""
    ids: list[list[int]] = [[] for _ in rows]
    ended = [False] * len(rows)
    for token in stream(lm, rows, sampling, cached=cached):
        if check is not None:
            check()
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

    The cache is made anew for every call, so it always belongs to the interventions in force. A model that reads pads
    is given rows of one length at a time. A row that fills the model's context is cut off there.

    Args:
        cached: False runs the whole text again at every token (for comparison).
    """
    for places in _batches(lm, rows):
        for token in _stream_batch(lm, [rows[place] for place in places], sampling, cached):
            yield replace(token, row=places[token.row])


def _batches(lm: LanguageModel, rows: Sequence[Row]) -> list[list[int]]:
    if lm.pads:
        return [list(range(len(rows)))] if rows else []
    by_length: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        by_length.setdefault(len(row.ids), []).append(place)
    return list(by_length.values())


def _stream_batch(lm: LanguageModel, rows: Sequence[Row], sampling: Sampling, cached: bool) -> Iterator[Token]:
    ends = end_tokens(lm)
    batch = pad(lm, [row.ids for row in rows])
    ids, mask, cache = batch.ids, batch.mask, None
    present = list(range(len(rows)))
    chooser = _Chooser(sampling, len(rows))
    intervened = Intervened(lm, [row.interventions for row in rows])
    for step in range(1, sampling.max_new_tokens + 1):
        # The hooks hang only while the model runs: between tokens it belongs to whoever reads them.
        with intervened:
            logits, cache = next_token_logits(lm, ids if cache is None else ids[:, -1:], mask, cache)
        chosen = chooser.choose(logits, present)
        for row, token in zip(present, chosen, strict=True):
            yield Token(row, token, token in ends)
        remain = [
            place
            for place, (row, token) in enumerate(zip(present, chosen, strict=True))
            if token not in ends and not (lm.context and len(rows[row].ids) + step >= lm.context)
        ]
        if not remain:
            return
        column = torch.tensor(chosen, device=ids.device)[:, None]
        ids, mask = torch.cat([ids, column], 1), torch.cat([mask, torch.ones_like(column)], 1)
        if not cached:
            cache = None
        if len(remain) < len(present):
            places = torch.tensor(remain, device=ids.device)
            ids, mask, present = ids[places], mask[places], [present[place] for place in remain]
            intervened.keep(places)
            if cache is not None and lm.drops:
                drop_rows(cache, places)
            else:
                cache = None


def end_tokens(lm: LanguageModel) -> set[int]:
    """Ids that end a reply: the generation config's, and the tokenizer's own.

    Raises:
        DctError: what stands there is no id.
    """
    configured = lm.model.generation_config.eos_token_id if lm.model.generation_config else None
    listed = configured if isinstance(configured, list) else [configured]
    found = [token for token in [*listed, lm.tokenizer.eos_token_id] if token is not None]
    if not all(isinstance(token, int) for token in found):
        raise DctError(
            f"the end tokens of {lm.source.name} are not token ids: {found}", "correct eos_token_id in its configs"
        )
    return set(found)


class _Chooser:
    """Chooses next tokens, each row's from its own random stream: company changes no draw."""

    def __init__(self, sampling: Sampling, rows: int) -> None:
        self.greedy = sampling.temperature < COLDEST
        self.generators = [torch.Generator().manual_seed(sampling.seed) for _ in range(rows)]
        self.warpers: list[LogitsProcessor] = []
        if not self.greedy:
            self.warpers.append(TemperatureLogitsWarper(float(sampling.temperature)))
            if sampling.top_p < 1:
                self.warpers.append(TopPLogitsWarper(sampling.top_p))

    def choose(self, logits: Tensor, rows: Sequence[int]) -> list[int]:
        """One token for each of these rows; logits are rows × vocabulary."""
        if self.greedy:
            return [int(token) for token in logits.argmax(dim=-1).tolist()]
        scores: Any = logits.float()
        for warper in self.warpers:
            scores = warper(None, scores)
        reached = scores.softmax(dim=-1).cumsum(dim=-1)
        # 1 − rand lies in (0, 1]: the first token at which it is reached has a probability above 0.
        draws = torch.tensor([1 - torch.rand((), generator=self.generators[row]).item() for row in rows])
        at = torch.searchsorted(reached, draws.to(reached)[:, None] * reached[:, -1:])
        return [int(token) for token in at[:, 0].clamp_max(logits.shape[-1] - 1).tolist()]
