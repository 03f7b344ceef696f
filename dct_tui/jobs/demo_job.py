"""The whole way on the built-in model: fit, sample, and name the hidden behaviours, beside random vectors.

The built-in model is the one whose hidden behaviours are known, so here features can be given names without a person.
A vector and its strength are selected on validation prompts and judged on test prompts, and random vectors of the same
norms go through the very same selection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..models.catalog import BUILTIN
from ..models.generation import Row, Sampling, complete
from ..models.interventions import Steering
from ..models.loading import LanguageModel
from ..organism.behaviours import BEHAVIOURS
from ..organism.naming import Finding, choose, count, report
from ..prompts import read_prompts
from ..sessions import PromptSet, Session
from ..transcoder.orthogonal import random_directions
from .fit_job import OnStep, prepare, run
from .request import FitRequest, encode_prompts
from .sample_job import Wish, sample_session

PROMPTS = Path(__file__).resolve().parent.parent / "assets" / "prompts"
FACTORS = 64
STRENGTHS = (0.6, 1.0, 1.4, 1.8, 2.4)
SAMPLING = Sampling(max_new_tokens=24)
ROWS = 256

Vector = tuple[int, float]
"""A direction's index and its strength in units of R."""

Sampler = Callable[[Sequence[Vector], Sequence[str]], dict[Vector, list[str]]]
"""Gives each vector's replies to prompts."""


@dataclass(frozen=True)
class Example:
    """A prompt, the model's own reply, and its reply under a vector."""

    prompt: str
    unsteered: str
    steered: str


@dataclass(frozen=True)
class Demonstration:
    """What was found.

    Attributes:
        session: where the fit is kept.
        scale: R.
        findings: behaviours named on validation prompts, with their scores on test prompts.
        random_findings: the same for as many random vectors of the same norms.
        examples: for each found behaviour the first test prompt on which it shows.
        strengths: that were tried, in units of R.
        factors: how many vectors were tried.
    """

    session: Session
    scale: float
    findings: Sequence[Finding[Vector]]
    random_findings: Sequence[Finding[Vector]]
    examples: Mapping[str, Example]
    strengths: Sequence[float] = STRENGTHS
    factors: int = FACTORS

    @property
    def behaviours_found(self) -> int:
        """Behaviours in coherent form on at least half of the test prompts."""
        return count(self.findings)[0]

    @property
    def behaviours_right(self) -> int:
        """Those among them with the right content on at least half of the test prompts."""
        return count(self.findings)[1]

    @property
    def not_found(self) -> list[str]:
        """The hidden behaviours that no feature elicits."""
        found = {finding.behaviour for finding in self.findings if finding.found}
        return [behaviour.name for behaviour in BEHAVIOURS if behaviour.name not in found]

    @property
    def behaviours_random(self) -> int:
        """What random vectors elicit, counted alike."""
        return count(self.random_findings)[0]


def builtin_prompts(name: str) -> tuple[str, ...]:
    """The built-in model's untriggered prompts: `fit`, `validation` or `test`."""
    return read_prompts(PROMPTS / f"{BUILTIN}-{name}.txt")


def demonstrate(
    lm: LanguageModel,
    *,
    seed: int = 0,
    path: Path | None = None,
    on_step: OnStep | None = None,
    on_sampling: Callable[[str], None] | None = None,
) -> Demonstration:
    """Does it all.

    Args:
        lm: the built-in model.
        seed: of the fit and of the random vectors.
        path: the session's folder; by default a new one.
        on_step: called as the fit goes on.
        on_sampling: called with what is sampled next.
    """
    announce = on_sampling or (lambda what: None)
    prompts = PromptSet.of(builtin_prompts("fit"), builtin_prompts("validation"))
    prepared = prepare(lm, FitRequest(prompts=prompts, factors=FACTORS, seed=seed), path)
    transcoder, session = run(lm, prepared, on_step), prepared.session
    announce("learned features")
    learned = _session_sampler(lm, session)
    findings = _find(learned)
    announce("random vectors of the same norms")
    directions = random_directions(lm.width, FACTORS, torch.Generator().manual_seed(seed), torch.float32)
    random_findings = _find(_vector_sampler(lm, transcoder.config.scale * directions, session.record.slice.source))
    examples = {finding.behaviour: _example(lm, learned, finding) for finding in findings if finding.found}
    return Demonstration(session, transcoder.config.scale, findings, random_findings, examples)


def _find(sampler: Sampler) -> list[Finding[Vector]]:
    """Selects on validation prompts, scores on test prompts."""
    validation, test = builtin_prompts("validation"), builtin_prompts("test")
    vectors = [(index, strength) for strength in STRENGTHS for index in range(FACTORS)]
    chosen = choose(validation, sampler(vectors, validation))
    return report(chosen, test, sampler([choice.candidate for choice in chosen], test))


def _example(lm: LanguageModel, sampler: Sampler, finding: Finding[Vector]) -> Example:
    """The first test prompt on which a found behaviour shows."""
    test = builtin_prompts("test")
    shows = next(behaviour.form for behaviour in BEHAVIOURS if behaviour.name == finding.behaviour)
    replies = sampler([finding.candidate], test)[finding.candidate]
    prompt, reply = next(pair for pair in zip(test, replies, strict=True) if shows(*pair))
    (plain,) = complete(lm, [Row(encode_prompts(lm, (prompt,), None)[0])], SAMPLING)
    return Example(prompt, plain.text, reply)


def _session_sampler(lm: LanguageModel, session: Session) -> Sampler:
    """Samples a session's features; they are kept in it, and not made again."""

    def sample(vectors: Sequence[Vector], prompts: Sequence[str]) -> dict[Vector, list[str]]:
        wishes = [
            Wish(index, strength, prompt, place) for index, strength in vectors for place, prompt in enumerate(prompts)
        ]
        plain = [Wish(None, 0.0, prompt, place) for place, prompt in enumerate(prompts)]
        split = "validation" if tuple(prompts) == session.record.prompts.validation else "test"
        samples = list(sample_session(lm, session, [*plain, *wishes], SAMPLING, split))[len(plain) :]
        return _by_vector(vectors, [sample.text for sample in samples], len(prompts))

    return sample


def _vector_sampler(lm: LanguageModel, directions: Tensor, source: int) -> Sampler:
    """Samples directions (d × m, of norm R) that belong to no session."""

    def sample(vectors: Sequence[Vector], prompts: Sequence[str]) -> dict[Vector, list[str]]:
        ids = encode_prompts(lm, tuple(prompts), None)
        rows = [
            Row(tokens, [Steering(strength * directions[:, index], source)])
            for index, strength in vectors
            for tokens in ids
        ]
        replies = [
            reply for start in range(0, len(rows), ROWS) for reply in complete(lm, rows[start : start + ROWS], SAMPLING)
        ]
        return _by_vector(vectors, [reply.text for reply in replies], len(prompts))

    return sample


def _by_vector(vectors: Sequence[Vector], texts: Sequence[str], prompts: int) -> dict[Vector, list[str]]:
    return {vector: list(texts[place * prompts : (place + 1) * prompts]) for place, vector in enumerate(vectors)}
