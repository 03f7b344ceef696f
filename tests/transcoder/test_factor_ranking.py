from __future__ import annotations

import torch
from reference import SiteMap, unit

from dct_tui.transcoder import FitConfig, Transcoder, by_contrast, by_strength, contrast_scores


def transcoder(alpha: list[float], scale: float = 1.5) -> Transcoder:
    m = len(alpha)
    return Transcoder(unit(6, m, 1), unit(5, m, 2), torch.tensor(alpha), FitConfig(scale, factors=m))


def test_by_strength_whatever_its_sign_and_ties_in_order() -> None:
    assert by_strength(transcoder([1.0, -3.0, 2.0, 3.0])) == [1, 3, 2, 0]


def test_by_contrast_from_most_to_least() -> None:
    assert by_contrast(torch.tensor([0.5, -2.0, 1.0])) == [2, 0, 1]


def test_contrast_is_the_change_along_the_difference_of_two_tokens() -> None:
    """The Δ to the last block has its own width and parts."""
    to_last, found = SiteMap(6, 7, [[0, 1], [2]]), transcoder([1.0, 2.0, 3.0])
    contrast = torch.randn(7)
    expected = torch.stack([contrast.double() @ to_last.at(1.5 * v) for v in found.V.T])
    torch.testing.assert_close(contrast_scores(to_last, found, contrast), expected)
