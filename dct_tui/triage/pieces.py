"""Texts as bags of pieces, by which they are likened to each other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

PIECE = re.compile(r"\w+|[^\w\s]")
LONG_WORD, GRAM = 20, 4
MOST_CHARACTERS = 2000


def pieces(text: str) -> frozenset[str]:
    """The words and signs of a text's first 2,000 characters, capitals as they are.

    A run of more than 20 characters, as writing without spaces has them, counts as its pieces of four.
    """
    found: set[str] = set()
    for word in PIECE.findall(text[:MOST_CHARACTERS]):
        if len(word) <= LONG_WORD:
            found.add(word)
        else:
            found.update(word[i : i + GRAM] for i in range(len(word) - GRAM + 1))
    return frozenset(found)


def recurring(bags: Iterable[frozenset[str]]) -> frozenset[str]:
    """What stands in at least half of several bags, and in two at least; of a single bag all of it."""
    bags = list(bags)
    if len(bags) < 2:
        return bags[0] if bags else frozenset()
    counts = Counter(piece for bag in bags for piece in bag)
    least = max(2, (len(bags) + 1) // 2)
    return frozenset(piece for piece, count in counts.items() if count >= least)


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Share of the pieces of both that they have in common (Jaccard); 0 for two empty bags."""
    if not one or not other:
        return 0.0
    common = len(one & other)
    return common / (len(one) + len(other) - common)
