"""Samples: what the model said with and without a feature."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

import orjson

__all__ = ["Sample", "SampleKey", "sample_key", "sampled_keys", "settings_key"]

SampleKey: TypeAlias = tuple[int | None, float, str, str]
"""Feature, strength, prompt and settings: two samples with the same key are the same request."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One completion.

    Attributes:
        feature: the feature that steered it; None for the unsteered text (strength 0).
        strength: in units of R; 1.0 adds R·v.
        prompt: the text as the user gave it, before the chat template.
        prompt_index: its place in the list it was taken from.
        split: that list: `fit`, `validation`, or another name.
        text: the completion, without special tokens.
        tokens: number of generated tokens.
        ended: whether the model ended by itself, rather than being cut at the limit.
        settings: what else decides the text: limit of tokens, temperature, seed, direction, random control.
    """

    feature: int | None
    strength: float
    prompt: str
    prompt_index: int
    split: str
    text: str
    tokens: int
    ended: bool
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> SampleKey:
        """What was asked for, to find what need not be sampled again."""
        return sample_key(self.feature, self.strength, self.prompt, self.settings)

    def encode(self) -> dict[str, Any]:
        """The record for the journal."""
        return asdict(self)


def sample_key(feature: int | None, strength: float, prompt: str, settings: Mapping[str, Any]) -> SampleKey:
    """The key of a request that may not have been made yet."""
    return feature, float(strength), prompt, settings_key(settings)


def settings_key(settings: Mapping[str, Any]) -> str:
    """The settings as one text, the same for the same settings."""
    return orjson.dumps(settings, option=orjson.OPT_SORT_KEYS).decode()


def sampled_keys(samples: Iterable[Sample]) -> set[SampleKey]:
    """The requests that these samples answer."""
    return {sample.key for sample in samples}
