"""One trial: what a set of vectors brings out of a model, at every strength, judged once and for all orders of reading.

Samples are dear, so they are taken in three rounds, alike for every way of fitting: every vector at every strength on a
few validation prompts; those that showed some behaviour there on all of them; and on the test prompts what may be
chosen, which is for each vector and behaviour the best strength. What is found by reading any number of vectors in
any order follows from these scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import mean
from typing import Any

from torch import Tensor

from benchmarks.organisms.subjects import TEST_PROMPTS, VALIDATION_PROMPTS, Subject
from benchmarks.organisms.ways import Vectors
from dct_tui.organism.behaviours import Behaviour, is_coherent
from dct_tui.organism.naming import Choice, Finding, Score, choose_scored, scores
from dct_tui.organism.world import tokens

STRENGTHS = (0.6, 1.0, 1.4, 1.8, 2.4)
SCREENED = 5
"""Validation prompts of the first round: one of each kind of fact."""
KEPT_DIRECTIONS = 32

Candidate = tuple[int, float]
"""A vector's place in the order of reading, and its strength in units of R."""
Shown = dict[str, Score]
"""Behaviour to score, for those that showed at all."""


@dataclass(frozen=True)
class Trial:
    """What one set of vectors brings out.

    Attributes:
        scale: R.
        evaluated: rows of Δ that getting them took.
        vectors: how many there are.
        inert, changed, broken: shares of the screened texts that are the unsteered one, another coherent one, or none.
        validation, test: scores of every candidate that may be chosen.
        directions: the first unit vectors, to compare with other seeds'.
    """

    scale: float
    evaluated: int
    vectors: int
    inert: float
    changed: float
    broken: float
    validation: dict[Candidate, Shown]
    test: dict[Candidate, Shown]
    directions: list[list[float]]

    def found(
        self, behaviours: Sequence[Behaviour], order: Sequence[int], strengths: Sequence[float] = STRENGTHS
    ) -> list[Finding[Candidate]]:
        """What is found when the vectors of these places are read: chosen on validation prompts, judged on test."""
        places = {place: rank for rank, place in enumerate(order)}
        read = {c: shown for c, shown in self.validation.items() if c[0] in places and c[1] in strengths}
        ordered = dict(sorted(read.items(), key=lambda item: (places[item[0][0]], item[0][1])))
        return [self._judged(choice) for choice in choose_scored(ordered, behaviours)]

    def _judged(self, choice: Choice[Candidate]) -> Finding[Candidate]:
        nothing = Score(0.0, 0.0, choice.validation.prompts)
        return Finding(
            choice.behaviour,
            choice.candidate,
            choice.validation,
            self.test[choice.candidate].get(choice.behaviour, nothing),
        )

    def as_json(self) -> dict[str, Any]:
        """As the journal keeps it."""
        plain = {name: getattr(self, name) for name in ("scale", "evaluated", "vectors", "inert", "changed", "broken")}
        candidates = [
            [*candidate, _plain(self.validation[candidate]), _plain(self.test[candidate])]
            for candidate in self.validation
        ]
        return {**plain, "candidates": candidates, "directions": self.directions}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Trial:
        """The trial that was kept."""
        rest = {name: value for name, value in kept.items() if name != "candidates"}
        rows = kept["candidates"]
        return cls(
            **rest,
            validation={(place, strength): _shown(shown) for place, strength, shown, _ in rows},
            test={(place, strength): _shown(shown) for place, strength, _, shown in rows},
        )


def _plain(shown: Shown) -> dict[str, Any]:
    return {name: asdict(score) for name, score in shown.items()}


def _shown(kept: dict[str, Any]) -> Shown:
    return {name: Score(**score) for name, score in kept.items()}


def attempt(subject: Subject, vectors: Vectors, strengths: Sequence[float] = STRENGTHS) -> Trial:
    """Samples and judges a set of vectors."""

    def replies(candidates: Sequence[Candidate], prompts: Sequence[str]) -> dict[Candidate, list[str]]:
        added = [strength * vectors.scale * vectors.rows[place] for place, strength in candidates]
        return dict(zip(candidates, subject.replies(added, vectors.layer, prompts), strict=True))

    every = [(place, strength) for place in range(len(vectors.rows)) for strength in strengths]
    screened = replies(every, VALIDATION_PROMPTS[:SCREENED])
    inert, changed, broken = _fates(subject, vectors, screened)
    able = [c for c in every if scores(VALIDATION_PROMPTS[:SCREENED], screened[c], subject.behaviours)]
    rest = replies(able, VALIDATION_PROMPTS[SCREENED:])
    validation = {c: scores(VALIDATION_PROMPTS, [*screened[c], *rest[c]], subject.behaviours) for c in able}
    eligible = _eligible(subject, validation, strengths)
    tested = replies(eligible, TEST_PROMPTS)
    return Trial(
        scale=vectors.scale,
        evaluated=vectors.evaluated,
        vectors=len(vectors.rows),
        inert=inert,
        changed=changed,
        broken=broken,
        validation={c: validation[c] for c in eligible},
        test={c: scores(TEST_PROMPTS, tested[c], subject.behaviours) for c in eligible},
        directions=_rounded(vectors.rows[:KEPT_DIRECTIONS]),
    )


def _eligible(subject: Subject, validation: dict[Candidate, Shown], strengths: Sequence[float]) -> list[Candidate]:
    """For each vector what would be chosen were it read alone: among all strengths, and at strength 1."""
    chosen: set[Candidate] = set()
    for place in {place for place, _ in validation}:
        for allowed in (strengths, (1.0,)):
            alone = {c: shown for c, shown in validation.items() if c[0] == place and c[1] in allowed}
            chosen.update(choice.candidate for choice in choose_scored(alone, subject.behaviours))
    return sorted(chosen)


def _fates(subject: Subject, vectors: Vectors, screened: dict[Candidate, list[str]]) -> tuple[float, float, float]:
    prompts = VALIDATION_PROMPTS[:SCREENED]
    (plain,) = subject.replies([vectors.rows[0] * 0], vectors.layer, prompts)
    fates = [
        "inert" if text == before else "changed" if is_coherent(tokens(text)) else "broken"
        for texts in screened.values()
        for text, before in zip(texts, plain, strict=True)
    ]
    inert, changed, broken = (mean(fate == name for fate in fates) for name in ("inert", "changed", "broken"))
    return inert, changed, broken


def _rounded(rows: Tensor) -> list[list[float]]:
    return [[round(value, 4) for value in row] for row in rows.tolist()]
