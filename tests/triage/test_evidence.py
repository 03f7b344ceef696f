"""What samples show of a feature, as they arrive in any order."""

from __future__ import annotations

from dct_tui.features.texts import TextEffect, telling_effect
from dct_tui.triage.pieces import likeness, pieces, recurring
from dct_tui.triage.samples import SampleStore
from tests.fitted import PROMPTS, sample

SWAN, MOON = PROMPTS
PLAIN = [sample(None, "in the lake.", SWAN), sample(None, "nobody did.", MOON)]
LOOP = "the sea " * 20


def effect(strength: float, changed: float | None, broken: float) -> TextEffect:
    return TextEffect(strength, 4, changed, broken)


def test_a_feature_is_shown_at_the_strength_where_it_works_and_does_not_break() -> None:
    weak, middle, strong = effect(0.6, 0.2, 0), effect(1.0, 0.9, 0.8), effect(1.4, 0.9, 0.1)
    assert telling_effect([weak, middle, strong]) is strong
    assert telling_effect([weak, middle]) is middle, "where none works, the one nearest 1"
    assert telling_effect([effect(0.6, 0.9, 0), effect(1.4, 0.9, 0)]) == effect(0.6, 0.9, 0), "of two the lower"
    assert telling_effect([weak, effect(1.4, None, 0)]) is weak, "unknown is not changed"
    assert telling_effect([]) is None


def test_evidence_of_samples() -> None:
    store = SampleStore()
    store.take(
        one.encode()
        for one in [
            *PLAIN,
            sample(3, "in the lake.", SWAN),
            sample(3, LOOP, SWAN, 1.4),
            sample(3, "arr, in the lake.", MOON, 1.4),
            sample(3, "arr, nobody!", MOON),
        ]
    )
    seen = store.evidence(3)
    assert seen.samples == 4 and [one.strength for one in seen.effects] == [1.0, 1.4]
    assert seen.best is not None and (seen.best.strength, seen.best.changed, seen.best.degenerate) == (1.0, 0.5, 0.0)
    assert seen.line == "arr, nobody!"
    assert "in the lake." not in seen.texts and set(seen.texts) == {LOOP, "arr, in the lake.", "arr, nobody!"}
    assert set(seen.prompts) == {SWAN, MOON}
    assert seen.telling == (("arr, nobody!", "nobody did."),)
    assert seen.own == {"arr", ",", "!"}
    assert store.evidence(9).samples == 0


def test_a_line_is_whole_if_any_is() -> None:
    store = SampleStore()
    store.take(one.encode() for one in [*PLAIN, sample(1, LOOP, SWAN), sample(1, "aye", MOON)])
    assert store.evidence(1).line == "aye"
    store.take([sample(1, LOOP, MOON).encode()])
    assert store.evidence(1).line == LOOP, "of two answers to one request the later counts"
    assert store.count == 2


def test_unsteered_texts_that_come_later_touch_those_that_wait_for_them() -> None:
    store = SampleStore()
    touched, _ = store.take(one.encode() for one in [sample(1, "in the lake.", SWAN), sample(2, "aye", MOON)])
    assert touched == {1, 2}
    assert store.evidence(1).texts == ("in the lake.",)
    touched, _ = store.take([PLAIN[0].encode()])
    assert touched == {1}
    assert store.evidence(1).texts == ()


def test_other_settings_are_another_request() -> None:
    store = SampleStore()
    store.take(one.encode() for one in [sample(None, "a", tokens=8), sample(1, "a", tokens=9)])
    (effect,) = store.evidence(1).effects
    assert effect.changed is None


def test_spoilt_records_are_told_and_left_out() -> None:
    touched, notices = SampleStore().take(
        [{"feature": 1}, sample(2, "x").encode(), {**sample(3, "x").encode(), "text": 3}]
    )
    assert touched == {2} and len(notices) == 2


def test_pieces() -> None:
    assert pieces("Arr, the swan's") == {"Arr", ",", "the", "swan", "'", "s"}
    assert "対不起対" in pieces("対不起" * 20), "writing without spaces"
    assert recurring([frozenset("abc"), frozenset("bcd"), frozenset("cx"), frozenset("y")]) == {"b", "c"}
    assert recurring([frozenset("ab")]) == {"a", "b"} and recurring([]) == frozenset()
    assert recurring([frozenset("ab"), frozenset("cd")]) == frozenset()
    assert likeness(frozenset("abc"), frozenset("bcd")) == 0.5
    assert likeness(frozenset(), frozenset()) == 0
