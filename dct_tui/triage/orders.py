"""The orders in which features can be judged. Ties, and what is not measured, go by rank; the latter comes last."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .rows import FeatureRow

OrderName: TypeAlias = Literal["rank", "effect", "changed", "novelty", "contrast", "index"]

ORDERS: Mapping[OrderName, str] = {
    "rank": "as the fit ranks them: strong and unlike those before",
    "effect": "effect: KL at strength 1, largest first",
    "changed": "share of texts changed at the best strength, unbroken first",
    "novelty": "novelty: words of their own that none before them has",
    "contrast": "a contrast of two words, towards the first",
    "index": "their numbers",
}


@dataclass(frozen=True)
class Order:
    """An order, or its reverse."""

    name: OrderName = "rank"
    reverse: bool = False


def in_order(rows: Iterable[FeatureRow], order: Order) -> list[FeatureRow]:
    """The rows in that order."""
    ranked = sorted(rows, key=lambda row: row.rank)
    if order.name == "novelty":
        places = {row.index: place for place, row in enumerate(by_novelty(ranked))}
        return sorted(ranked, key=lambda row: places[row.index], reverse=order.reverse)
    measure = _MEASURES[order.name]
    known = [(value, row) for row in ranked if (value := measure(row)) is not None]
    # Stable: ties keep their rank in either direction.
    known.sort(key=lambda pair: pair[0], reverse=order.reverse)
    there = {row.index for _, row in known}
    return [row for _, row in known] + [row for row in ranked if row.index not in there]


def by_novelty(rows: Iterable[FeatureRow]) -> list[FeatureRow]:
    """The rows, each time taking the one that adds most new pieces; ties in the order given.

    A piece is a word or sign of a feature's `Evidence.typical`: it recurs in its telling texts and stands in none of
    the unsteered ones. It is new as long as no row taken before has it.
    """
    rows = list(rows)
    heap = [(-len(row.evidence.typical), place) for place, row in enumerate(rows)]
    heapq.heapify(heap)
    covered: set[str] = set()
    taken = []
    while heap:
        _, place = heapq.heappop(heap)
        gain = len(rows[place].evidence.typical - covered)
        # What a row adds only ever falls, so one that still beats the next best need not be compared with the others.
        if heap and (-gain, place) > heap[0]:
            heapq.heappush(heap, (-gain, place))
            continue
        taken.append(rows[place])
        covered |= rows[place].evidence.typical
    return taken


def _changed(row: FeatureRow) -> tuple[float, float] | None:
    changed, broken = row.changed, row.broken
    return None if changed is None or broken is None else (-changed * (1 - broken), broken)


def _negative(value: float | None) -> float | None:
    return None if value is None else -value


_MEASURES: dict[OrderName, Callable[[FeatureRow], float | tuple[float, float] | None]] = {
    "rank": lambda row: row.rank,
    "effect": lambda row: _negative(row.kl),
    "changed": _changed,
    "contrast": lambda row: _negative(row.contrast),
    "index": lambda row: row.index,
}
