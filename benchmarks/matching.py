"""Agreement of two sets of directions: the best one-to-one matching by |cos|."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor


def agreement(first: Tensor, second: Tensor) -> float:
    """Mean |cos| over the one-to-one matching of unit rows (n × d each) that makes it largest."""
    gains = (first @ second.T).abs().tolist()
    matched = assignment([[-gain for gain in row] for row in gains])
    return math.fsum(gains[row][column] for row, column in enumerate(matched)) / len(gains)


def assignment(costs: Sequence[Sequence[float]]) -> list[int]:
    """The column for each row of a square table that makes the sum of costs least (Hungarian, by potentials)."""
    size = len(costs)
    of_row, of_column = [0.0] * (size + 1), [0.0] * (size + 1)
    owner = [0] * (size + 1)  # row matched to a column, both counted from 1; 0 is nobody
    for row in range(1, size + 1):
        owner[0], column = row, 0
        least, before, seen = [math.inf] * (size + 1), [0] * (size + 1), [False] * (size + 1)
        while owner[column]:
            seen[column] = True
            here, step, following = owner[column], math.inf, 0
            for other in range(1, size + 1):
                if seen[other]:
                    continue
                reduced = costs[here - 1][other - 1] - of_row[here] - of_column[other]
                if reduced < least[other]:
                    least[other], before[other] = reduced, column
                if least[other] < step:
                    step, following = least[other], other
            for other in range(size + 1):
                if seen[other]:
                    of_row[owner[other]] += step
                    of_column[other] -= step
                else:
                    least[other] -= step
            column = following
        while column:
            owner[column] = owner[before[column]]
            column = before[column]
    columns = [0] * size
    for column in range(1, size + 1):
        columns[owner[column] - 1] = column - 1
    return columns
