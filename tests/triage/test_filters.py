"""Filters: what they keep, that their text reads as the same filter, and that no pattern hangs."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dct_tui.errors import DctError
from dct_tui.features.texts import TextEffect
from dct_tui.sessions.marks import FeatureMarks
from dct_tui.triage.evidence import Evidence
from dct_tui.triage.filter_text import filter_text, parse_filter
from dct_tui.triage.filters import (
    FLAGS,
    NUMBERS,
    RELATIONS,
    TEXTS,
    Anywhere,
    Between,
    Compares,
    Contains,
    Filter,
    InField,
    Is,
    Matches,
    Term,
)
from dct_tui.triage.rows import FeatureRow


def row(index: int, *texts: str, kl: float | None = 1.0, **more: object) -> FeatureRow:
    best = TextEffect(1.0, len(texts), 0.75, 0.25) if texts else None
    evidence = Evidence(samples=len(texts), best=best, texts=texts, prompts=("where is the swan",) if texts else ())
    return FeatureRow(index, index + 1, -float(index), 2.0, kl, (f"w{index}",), evidence=evidence, **more)  # type: ignore[arg-type]


PIRATE = row(0, "arr, matey!", "Aye.", marks=FeatureMarks("starred", frozenset({"pirate"}), "sails"))
SHOUT = row(1, "THE SWAN", kl=5.0, marks=FeatureMarks("rejected"))
PLAIN = row(2, kl=float("inf"))
MEAN = row(3, "two words here\nand a line", kl=None, members=(0, 1), contrast=2.5)
ROWS = [PIRATE, SHOUT, PLAIN, MEAN]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", [0, 1, 2, 3]),
        ("arr", [0]),
        ("ARR", []),
        ("Aye", [0]),
        ("swan", [1]),
        ("SWAN", [1]),
        ("Swan", []),
        ("sails", [0]),
        ("pirate", [0]),
        ("w2", [2]),
        ('"two words"', [3]),
        ('"words two"', []),
        ("/ar+, m/", [0]),
        ("/^and/", [3]),
        ("/here$/", [3]),
        (r"/\S, m/", [0]),
        ("/[A-Z]{4}/", [1]),
        ("!swan", [0, 2, 3]),
        ("!/a/", [2]),
        ("kl>1", [1, 2]),
        ("KL>=1", [0, 1, 2]),
        ("!kl>1", [0, 3]),
        ("kl=5", [1]),
        ("kl!=5", [0, 2]),
        ("kl<inf", [0, 1]),
        ("alpha<0", [1, 2, 3]),
        ("alpha>=-1", [0, 1]),
        ("rank<=2", [0, 1]),
        ("rank:2", [1]),
        ("index:1-2", [1, 2]),
        ("alpha:-2--1", [1, 2]),
        ("changed>.5", [0, 1, 3]),
        ("changed>=75%", [0, 1, 3]),
        ("broken<.2", []),
        ("samples=0", [2]),
        ("contrast>2", [3]),
        ("tag:pir", [0]),
        ("note:/^s/", [0]),
        ("word:w1", [1]),
        ("word:W1", []),
        ("sample:matey", [0]),
        ("sample:pirate", []),
        ("prompt:swan", [0, 1, 3]),
        ("starred", [0]),
        ("!starred sampled", [1, 3]),
        ("rejected", [1]),
        ("unjudged", [2, 3]),
        ("tagged noted", [0]),
        ("average", [3]),
        ('"starred"', []),
        ("  kl>0   swan ", [1]),
    ],
)
def test_what_is_kept(text: str, kept: list[int]) -> None:
    assert [one.index for one in parse_filter(text).keep(ROWS)] == kept


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("kl>x", "place 4: 'x' is no number", "after kl>"),
        ("arr kl:two", "place 8: 'two' is no number", "kl:12-40"),
        ("foo:bar", "place 1: there is no field 'foo'", "rank, index"),
        ("a b=c", "place 3: there is no field 'b'", "quotes"),
        ("tag>3", "place 1: tag is text", "tag:pirate"),
        ("tag:", "place 5: there is nothing to search for", "word"),
        ("arr !", "place 5: a ! stands alone", "!starred"),
        ("!!arr", "place 1: a ! stands alone", "!starred"),
        ("/arr", "place 1: the regex is not closed", "end it by /"),
        ("//", "place 1: the regex is empty", "arr"),
        ("x /(/", "place 3: the regex cannot be read", r"\("),
        ("/a{99999999999999999999}/", "place 1: the regex cannot be read", ""),
        ('"arr', "place 1: the quote is not closed", 'end it by "'),
        ("a" * 501, "the filter has 501 characters", "500"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, problem: str, hint: str) -> None:
    with pytest.raises(DctError, match=re.escape(problem)) as caught:
        parse_filter(text)
    assert hint in caught.value.hint


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)
PATTERN = st.sampled_from(["arr+", "a/b", r"a\.b", r"\\", "[/]x", r"\d+", '"q"', " ", "a b", "(?i)x"])
NUMBER = st.floats(allow_nan=False)
SEARCH = TEXT.map(Contains) | PATTERN.map(Matches)
CONDITION = (
    SEARCH.map(Anywhere)
    | st.builds(InField, st.sampled_from(sorted(TEXTS)), SEARCH)
    | st.builds(Compares, st.sampled_from(sorted(NUMBERS)), st.sampled_from(sorted(RELATIONS)), NUMBER)
    | st.builds(Between, st.sampled_from(sorted(NUMBERS)), NUMBER, NUMBER)
    | st.sampled_from(sorted(FLAGS)).map(Is)
)


@given(st.lists(st.builds(Term, CONDITION, st.booleans()), max_size=5).map(tuple).map(Filter))
def test_its_text_reads_as_the_same_filter(wanted: Filter) -> None:
    assert parse_filter(filter_text(wanted)) == wanted


@given(st.text(max_size=40) | st.text('/!":<=>.\\ab kltag*+()[]{}', max_size=40))
def test_any_text_is_a_filter_or_an_error(text: str) -> None:
    try:
        wanted = parse_filter(text)
    except DctError:
        return
    assert parse_filter(filter_text(wanted)) == wanted
    kept = wanted.keep(ROWS)
    assert kept == [one for one in ROWS if all(term.check(one) for term in wanted.terms)]


@given(TEXT, st.lists(TEXT, max_size=4))
def test_a_word_is_found_as_python_finds_it(word: str, texts: list[str]) -> None:
    sensitive = word != word.lower()
    expected = any(word in (text if sensitive else text.lower()) for text in [*texts, "w7"])
    kept = Filter((Term(Anywhere(Contains(word))),)).keep([row(7, *texts)])
    assert bool(kept) is expected


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(x+x+)+y", "(.*a){20}b"])
def test_a_pattern_that_never_ends_is_ended(pattern: str) -> None:
    slow = row(0, "a" * 60 + "x" * 60 + "!")
    with pytest.raises(DctError, match="takes too long"):
        parse_filter(f"/{pattern}/").keep([slow])
    assert parse_filter("!/zzz/").keep([slow]) == [slow], "the next one is not"


def test_doubtful_patterns_print_nothing(recwarn: pytest.WarningsRecorder) -> None:
    assert parse_filter("/[[a]b/")
    assert not recwarn.list
