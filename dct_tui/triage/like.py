"""Which features are like this one: in direction, or in what they make the model say."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .pieces import likeness
from .rows import FeatureRow

ALIKE = 0.5
"""Likeness from which the texts of two features count as the same behaviour."""


def near_in_direction(V: NDArray[np.float32], index: int, count: int = 12) -> list[tuple[int, float]]:
    """The nearest columns of V (d × m, unit columns) to one of them, as pairs of index and cosine, nearest first."""
    cosines = V.T @ V[:, index]
    cosines[index] = -np.inf
    nearest = np.argsort(-cosines, kind="stable")[: min(count, V.shape[1] - 1)]
    return [(int(other), float(cosines[other])) for other in nearest]


def alike_in_texts(row: FeatureRow, rows: Iterable[FeatureRow], least: float = ALIKE) -> list[tuple[int, float]]:
    """The features that make the model say the like, as pairs of index and likeness, likest first.

    Compared are the words and signs of each feature's telling texts that the unsteered texts lack (`Evidence.own`):
    likeness is the share of them that both have. A feature that changes nothing is like none.
    """
    own = row.evidence.own
    scores = [(other.index, likeness(own, other.evidence.own)) for other in rows if other.index != row.index]
    return sorted(((index, score) for index, score in scores if score >= least), key=lambda pair: (-pair[1], pair[0]))
