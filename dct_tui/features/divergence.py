"""How far a vector moves the model's next-token distribution: KL(steered ‖ base), teacher-forced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from ..models.generation import Row, Sampling, complete
from ..models.interventions import Intervened, Intervention
from ..models.loading import LanguageModel
from ..models.running import run
from ..models.templating import Batch, pad

TOKENS = 32
LOGITS_AT_ONCE = 2**26


@dataclass(frozen=True)
class _Reference:
    """A prompt with its unsteered completion, and the base model's log-probabilities over that completion."""

    batch: Batch
    tokens: int
    log_probabilities: Tensor


class Divergence:
    """KL from a model under interventions to the model as it is, on the unsteered completions of some prompts."""

    def __init__(self, lm: LanguageModel, prompts: Sequence[Sequence[int]], tokens: int = TOKENS) -> None:
        """Completes each prompt greedily without interventions.

        Args:
            lm: the model.
            prompts: token ids.
            tokens: the most tokens of a completion.
        """
        self.lm = lm
        plain = complete(lm, [Row(ids) for ids in prompts], Sampling(max_new_tokens=tokens))
        self._references = [
            self._reference(ids, reply.ids) for ids, reply in zip(prompts, plain, strict=True) if reply.ids
        ]

    def of(self, rows: Sequence[Sequence[Intervention]]) -> list[float]:
        """Mean over completion tokens of all prompts of KL(steered ‖ base), in nats, for each row of interventions.

        The distribution over the first completion token is among them; a first token alone would say nothing of a model
        that thinks first. 0 where the unsteered completions are empty.
        """
        totals, tokens = torch.zeros(len(rows), dtype=torch.float64), 0
        for reference in self._references:
            tokens += reference.tokens
            vocabulary = reference.log_probabilities.shape[-1]
            step = max(1, LOGITS_AT_ONCE // (reference.tokens * vocabulary))
            for start in range(0, len(rows), step):
                chunk = rows[start : start + step]
                totals[start : start + step] += self._divergences(reference, chunk).double().cpu()
        return (totals / max(1, tokens)).tolist()

    def _reference(self, prompt: Sequence[int], reply: Sequence[int]) -> _Reference:
        batch = pad(self.lm, [[*prompt, *reply]])
        with torch.no_grad():
            return _Reference(batch, len(reply), self._log_probabilities(batch, len(reply))[0])

    @torch.no_grad()
    def _divergences(self, reference: _Reference, rows: Sequence[Sequence[Intervention]]) -> Tensor:
        with Intervened(self.lm, rows):
            steered = self._log_probabilities(reference.batch.repeat(len(rows)), reference.tokens)
        terms = steered.exp() * (steered - reference.log_probabilities)
        # A token that is masked to no probability adds nothing, and 0 · (−∞ + ∞) is not a number.
        return torch.where(steered == -torch.inf, 0.0, terms).sum(dim=(1, 2))

    def _log_probabilities(self, batch: Batch, tokens: int) -> Tensor:
        """Of the completion's tokens: rows × tokens × vocabulary. A token is predicted at the place before it."""
        logits = run(self.lm, batch, use_cache=False, logits_to_keep=tokens + 1).logits[:, -tokens - 1 : -1]
        return log_softmax(logits.float(), dim=-1)
