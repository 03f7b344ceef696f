from __future__ import annotations

import torch
from reference import SiteMap, unit

from dct_tui.transcoder import FitConfig, Transcoder, by_contrast, by_distinctness, by_strength, contrast_scores


def transcoder(alpha: list[float], scale: float = 1.5) -> Transcoder:
    m = len(alpha)
    return Transcoder(unit(6, m, 1), unit(5, m, 2), torch.tensor(alpha), FitConfig(scale, factors=m))


def test_by_strength_whatever_its_sign_and_ties_in_order() -> None:
    assert by_strength(transcoder([1.0, -3.0, 2.0, 3.0])) == [1, 3, 2, 0]


def test_distinct_outputs_come_before_copies_of_stronger_ones() -> None:
    """By hand: columns 1 and 3 repeat 0 (3 turned round), 4 stands 60° from 0, 2 alone, and 5 does nothing."""
    U = torch.zeros(3, 6)
    U[0, [0, 1, 3]] = torch.tensor([1.0, 1.0, -1.0])
    U[1, 2], U[:2, 4] = 1.0, torch.tensor([0.5, 0.75**0.5])
    found = Transcoder(torch.eye(6), U, torch.tensor([4.0, 3.0, -0.6, 3.5, 1.0, 0.0]), FitConfig(1.0, factors=6))
    # |α| (1 − c), as K = (e − 1)·1: 0 first; then 2 with .6 against .5 for 4, which has c = .866 with 2 thereafter.
    assert by_distinctness(found) == [0, 2, 4, 1, 3, 5]


def test_unlike_outputs_come_by_strength() -> None:
    found = Transcoder(unit(6, 4, 1), torch.eye(4), torch.tensor([1.0, -3.0, 2.0, 3.0]), FitConfig(1.0, factors=4))
    assert by_distinctness(found) == by_strength(found) == [1, 3, 2, 0]


def test_copies_that_share_a_strength_are_as_important_as_the_one_they_are() -> None:
    """Columns 0 and 1 are one factor with ‖Δ(Rv)‖ = 6, half of its strength each; column 2 has 4."""
    alpha = torch.tensor([3.0, 3.0, 4.0]) / torch.expm1(torch.tensor(1.0))
    found = Transcoder(torch.eye(4)[:, [0, 0, 1]], torch.eye(4)[:, [0, 0, 1]], alpha, FitConfig(1.0, factors=3))
    assert by_strength(found) == [2, 0, 1] and by_distinctness(found) == [0, 2, 1]


def test_by_contrast_from_most_to_least() -> None:
    assert by_contrast(torch.tensor([0.5, -2.0, 1.0])) == [2, 0, 1]


def test_contrast_is_the_change_along_the_difference_of_two_tokens() -> None:
    """The Δ to the last block has its own width and parts."""
    to_last, found = SiteMap(6, 7, [[0, 1], [2]]), transcoder([1.0, 2.0, 3.0])
    contrast = torch.randn(7)
    expected = torch.stack([contrast.double() @ to_last.at(1.5 * v) for v in found.V.T])
    torch.testing.assert_close(contrast_scores(to_last, found, contrast), expected)
