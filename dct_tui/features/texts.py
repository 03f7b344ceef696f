"""What samples say about a feature: whether it changes the text, and whether the text is still one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..sessions import Sample

DISTINCT_SHARE = 0.6
LEAST_WORDS = 8
PIECE = 4
LEAST_PIECES = 80


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
    plain = {(_request(s)): s for s in samples if s.feature is None}
    grouped: dict[tuple[int, float], list[Sample]] = {}
    for sample in samples:
        if sample.feature is not None:
            grouped.setdefault((sample.feature, sample.strength), []).append(sample)
    effects: dict[int, list[TextEffect]] = {}
    for (feature, strength), group in sorted(grouped.items()):
        effects.setdefault(feature, []).append(_effect(strength, group, plain))
    return effects


def _effect(strength: float, group: Sequence[Sample], plain: dict[tuple[str, str], Sample]) -> TextEffect:
    pairs = [(sample, plain.get(_request(sample))) for sample in group]
    compared = [(sample, base) for sample, base in pairs if base is not None]
    broken = [
        repeats_itself(sample.text) or (not sample.ended and base is not None and base.ended) for sample, base in pairs
    ]
    return TextEffect(
        strength=strength,
        samples=len(group),
        changed=sum(s.text != b.text for s, b in compared) / len(compared) if compared else None,
        degenerate=sum(broken) / len(group),
    )


def _request(sample: Sample) -> tuple[str, str]:
    """Prompt and settings, which a sample shares with its unsteered counterpart."""
    return sample.key[2], sample.key[3]
