"""The orders of the list."""

from __future__ import annotations

from itertools import permutations

import pytest

from dct_tui.features.texts import TextEffect
from dct_tui.triage.evidence import Evidence
from dct_tui.triage.like import alike_in_texts
from dct_tui.triage.orders import ORDERS, Order, OrderName, by_novelty, in_order
from dct_tui.triage.rows import FeatureRow


def row(index: int, rank: int, kl: float | None = 1.0, *, texts: str = "", **more: object) -> FeatureRow:
    best = TextEffect(1.0, 2, 0.5, 0.0) if texts else None
    telling = tuple((text, "plain") for text in texts.split("|")) if texts else ()
    return FeatureRow(index, rank, 1.0, 1.0, kl, (), evidence=Evidence(best=best, telling=telling), **more)  # type: ignore[arg-type]


ROWS = [row(0, 3, 2.0), row(1, 1, None, members=(0, 2)), row(2, 2, float("inf")), row(3, 4, 2.0, contrast=-1.0)]


@pytest.mark.parametrize(
    ("name", "reverse", "expected"),
    [
        ("rank", False, [1, 2, 0, 3]),
        ("rank", True, [3, 0, 2, 1]),
        ("index", False, [0, 1, 2, 3]),
        ("effect", False, [2, 0, 3, 1]),
        ("effect", True, [0, 3, 2, 1]),
        ("contrast", False, [3, 1, 2, 0]),
        ("changed", False, [1, 2, 0, 3]),
    ],
)
def test_orders(name: OrderName, reverse: bool, expected: list[int]) -> None:
    """Ties go by rank either way, and what is not known comes last either way."""
    for given in permutations(ROWS):
        assert [one.index for one in in_order(given, Order(name, reverse))] == expected


@pytest.mark.parametrize("name", list(ORDERS))
@pytest.mark.parametrize("reverse", [False, True])
def test_every_order_keeps_every_row(name: OrderName, reverse: bool) -> None:
    assert {one.index for one in in_order(ROWS, Order(name, reverse))} == {0, 1, 2, 3}


def test_novelty_takes_each_time_what_adds_most() -> None:
    rows = [
        row(0, 1, texts="arr matey aye|arr matey aye"),
        row(1, 2, texts="arr matey aye ahoy|arr matey aye ahoy"),
        row(2, 3, texts="bow human|bow human"),
        row(3, 4, texts="plain|plain"),
        row(4, 5, texts="x y z v w|a b c d e"),
        row(5, 6),
    ]
    order = [one.index for one in by_novelty(rows)]
    # 1 has four words of its own; of 0 nothing is then new; the words of 4 do not recur.
    assert order == [1, 2, 0, 3, 4, 5]


def test_novelty_is_the_greedy_choice() -> None:
    texts = ["a b c d", "c d e", "e f g", "a g", "h", "b d f h", "a b c d e f"]
    rows = [row(index, index + 1, texts=f"{text}|{text}") for index, text in enumerate(texts)]
    expected, covered, left = [], set(), list(rows)
    while left:
        best = max(left, key=lambda one: (len(one.evidence.typical - covered), -one.rank))
        left.remove(best)
        covered |= best.evidence.typical
        expected.append(best.index)
    assert [one.index for one in by_novelty(rows)] == expected


def test_alike_are_those_that_say_the_like_of_their_own() -> None:
    rows = [
        row(0, 1, texts="arr the swan matey|arr matey"),
        row(1, 2, texts="arr a moon matey"),
        row(2, 3, texts="plain"),
        row(3, 4, texts="plain"),
        row(4, 5, texts="bow human"),
        row(5, 6, texts="arr the swan matey"),
    ]
    assert alike_in_texts(rows[0], rows) == [(5, 1.0)]
    assert alike_in_texts(rows[0], rows, least=0.3) == [(5, 1.0), (1, pytest.approx(2 / 6))]
    assert alike_in_texts(rows[2], rows) == [], "those that change nothing are like none"
