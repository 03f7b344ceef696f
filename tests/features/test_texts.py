from __future__ import annotations

import pytest

from dct_tui.errors import DctError
from dct_tui.features.choose import parse_indices
from dct_tui.features.texts import repeats_itself, text_effects
from dct_tui.sessions import Sample

PROSE = "the ship left the harbour at dawn and nobody saw it again"
LOOP = "the sea the sea the sea the sea the sea the sea"


def sample(
    feature: int | None, prompt: str, text: str, strength: float = 1.0, ended: bool = True, limit: int = 8
) -> Sample:
    settings = {"max_new_tokens": limit}
    strength = 0.0 if feature is None else strength
    return Sample(
        feature=feature, strength=strength, prompt=prompt, prompt_index=0, split="given", text=text, tokens=3,
        ended=ended, settings=settings,
    )  # fmt: skip


def test_changed_and_degenerate_shares() -> None:
    base = [sample(None, "a", PROSE), sample(None, "b", PROSE), sample(None, "c", PROSE, ended=False)]
    steered = [
        sample(3, "a", PROSE),
        sample(3, "b", LOOP),
        sample(3, "c", PROSE + " ever", ended=False),
        sample(3, "a", "no end", strength=2.0, ended=False),
    ]
    weak, strong = text_effects([*steered, *base])[3]
    assert (weak.strength, weak.samples) == (1.0, 3)
    assert weak.changed == pytest.approx(2 / 3) and weak.degenerate == pytest.approx(1 / 3)
    assert (strong.strength, strong.changed, strong.degenerate) == (2.0, 1.0, 1.0)


def test_only_the_same_request_is_compared() -> None:
    effects = text_effects([sample(None, "a", "one", limit=8), sample(0, "a", "two", limit=16)])
    assert effects[0][0].changed is None
    assert text_effects([sample(None, "a", "one")]) == {}


@pytest.mark.parametrize(
    ("text", "expected"), [(PROSE, False), (LOOP, True), ("no no no no", False), ("", False), ("对不起" * 60, True)]
)
def test_repetition(text: str, expected: bool) -> None:
    assert repeats_itself(text) is expected


def test_indices() -> None:
    assert parse_indices("all", 3, "feature") == [0, 1, 2]
    assert parse_indices(" 4, 0-2,1 ", 5, "feature") == [4, 0, 1, 2]
    for text in ("", "5", "-1", "2-1", "a", "1,,2", "1 2"):
        with pytest.raises(DctError, match="feature"):
            parse_indices(text, 5, "feature")
