"""What samples say about a feature: whether it changes the text, and whether the text is still one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ..sessions import Sample
from ..sessions.samples import settings_key

Request: TypeAlias = tuple[str, str]
"""Prompt and settings of a sample."""
Pair: TypeAlias = tuple[Sample, Sample | None]
"""A sample and its unsteered counterpart, if there is one."""

DISTINCT_SHARE = 0.6
LEAST_WORDS = 8
PIECE = 4
LEAST_PIECES = 80
HALF = 0.5


@dataclass(frozen=True)
class TextEffect:
    """What a feature's samples show, over all its sampled prompts at one strength.

    Attributes:
        strength: in units of R.
        samples: how many there are.
        changed: share that differ from the unsteered text of the same prompt and settings; None without such.
        degenerate: share that repeat themselves, or do not end where the unsteered text does.
    """

    strength: float
    samples: int
    changed: float | None
    degenerate: float


def repeats_itself(text: str) -> bool:
    """Whether under 60 % of a text's words are distinct; short texts never count.

    A text of few words that is long all the same is written without spaces: there, pieces of four characters count.
    """
    pieces = text.split()
    if len(pieces) < LEAST_WORDS:
        pieces = [text[i : i + PIECE] for i in range(len(text) - PIECE + 1)]
        if len(pieces) < LEAST_PIECES:
            return False
    return len(set(pieces)) < DISTINCT_SHARE * len(pieces)


def text_effects(samples: Iterable[Sample]) -> dict[int, list[TextEffect]]:
    """For each feature, its effect at every strength that was sampled, strengths ascending."""
    samples = list(samples)
    plain = {request_of(s): s for s in samples if s.feature is None}
    grouped: dict[int, list[Sample]] = {}
    for sample in samples:
        if sample.feature is not None:
            grouped.setdefault(sample.feature, []).append(sample)
    return {
        feature: effects_of((sample, plain.get(request_of(sample))) for sample in group)
        for feature, group in sorted(grouped.items())
    }


def effects_of(pairs: Iterable[Pair]) -> list[TextEffect]:
    """The effect of one feature at every strength that was sampled, strengths ascending.

    Args:
        pairs: its samples, each with the unsteered one of the same request.
    """
    grouped: dict[float, list[Pair]] = {}
    for pair in pairs:
        grouped.setdefault(pair[0].strength, []).append(pair)
    return [_effect(strength, grouped[strength]) for strength in sorted(grouped)]


def telling_effect(effects: Sequence[TextEffect]) -> TextEffect | None:
    """The effect by which a feature is shown; None without samples.

    It is the one at the strength nearest 1 (of two the lower) at which most texts change and most are still texts.
    Where there is no such strength it is simply the one nearest 1.
    """
    good = [effect for effect in effects if (effect.changed or 0) > HALF and effect.degenerate < HALF]
    return min(good or effects, key=lambda effect: (round(abs(effect.strength - 1), 6), effect.strength), default=None)


def is_broken(sample: Sample, base: Sample | None) -> bool:
    """Whether a text repeats itself, or does not end where the unsteered one does."""
    return repeats_itself(sample.text) or (not sample.ended and base is not None and base.ended)


def request_of(sample: Sample) -> Request:
    """Prompt and settings, which a sample shares with its unsteered counterpart."""
    return sample.prompt, settings_key(sample.settings)


def _effect(strength: float, pairs: Sequence[Pair]) -> TextEffect:
    compared = [(sample, base) for sample, base in pairs if base is not None]
    return TextEffect(
        strength=strength,
        samples=len(pairs),
        changed=sum(s.text != b.text for s, b in compared) / len(compared) if compared else None,
        degenerate=sum(is_broken(sample, base) for sample, base in pairs) / len(pairs),
    )
