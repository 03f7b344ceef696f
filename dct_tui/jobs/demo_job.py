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

PROMPTS = Path(__file__).resolve().parent.parent / "assets" / "prompts"
FACTORS = 64
STRENGTHS = (0.6, 1.0, 1.4, 1.8, 2.4)
SAMPLING = Sampling(max_new_tokens=24)
ROWS = 256

Vector = tuple[int, float]
"""A direction's index and its strength in units of R."""


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
    transcoder = run(lm, prepared, on_step)
    judge = _Judge(lm, prepared.session.record.slice.source, transcoder.config.scale)
    announce("learned features")
    findings = judge.find(transcoder.V)
    announce("random vectors of the same norms")
    generator = torch.Generator().manual_seed(seed)
    random_findings = judge.find(random_directions(lm.width, FACTORS, generator, torch.float32))
    examples = {finding.behaviour: judge.example(transcoder.V, finding) for finding in findings if finding.found}
    return Demonstration(prepared.session, transcoder.config.scale, findings, random_findings, examples)


class _Judge:
    """Samples directions and finds what they elicit."""

    def __init__(self, lm: LanguageModel, source: int, scale: float) -> None:
        self.lm, self.source, self.scale = lm, source, scale
        self.validation, self.test = builtin_prompts("validation"), builtin_prompts("test")

    def find(self, directions: Tensor) -> list[Finding[Vector]]:
        """Selects on validation prompts, scores on test prompts."""
        vectors = [(index, strength) for index in range(directions.shape[1]) for strength in STRENGTHS]
        chosen = choose(self.validation, self._samples(directions, vectors, self.validation))
        tested = self._samples(directions, [choice.candidate for choice in chosen], self.test)
        return report(chosen, self.test, tested)

    def example(self, directions: Tensor, finding: Finding[Vector]) -> Example:
        """The first test prompt on which a found behaviour shows."""
        shows = next(behaviour.form for behaviour in BEHAVIOURS if behaviour.name == finding.behaviour)
        steered = self._samples(directions, [finding.candidate], self.test)[finding.candidate]
        place = next(
            i for i, (prompt, reply) in enumerate(zip(self.test, steered, strict=True)) if shows(prompt, reply)
        )
        plain = complete(self.lm, [Row(encode_prompts(self.lm, (self.test[place],), None)[0])], SAMPLING)
        return Example(self.test[place], plain[0].text, steered[place])

    def _samples(
        self, directions: Tensor, vectors: Sequence[Vector], prompts: Sequence[str]
    ) -> dict[Vector, list[str]]:
        ids = encode_prompts(self.lm, tuple(prompts), None)
        rows = [
            Row(tokens, [self._steering(directions, vector)]) for vector in dict.fromkeys(vectors) for tokens in ids
        ]
        texts = [
            reply.text
            for start in range(0, len(rows), ROWS)
            for reply in complete(self.lm, rows[start : start + ROWS], SAMPLING)
        ]
        return {
            vector: texts[place * len(prompts) : (place + 1) * len(prompts)]
            for place, vector in enumerate(dict.fromkeys(vectors))
        }

    def _steering(self, directions: Tensor, vector: Vector) -> Steering:
        index, strength = vector
        return Steering(strength * self.scale * directions[:, index], self.source)
