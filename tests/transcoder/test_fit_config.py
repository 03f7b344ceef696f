from __future__ import annotations

import re
from dataclasses import replace

import pytest

from dct_tui.transcoder import FitConfig

GOOD = FitConfig(1.0, factors=4)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"method": "cubic"},
            "no method 'cubic': choose one of exponential, quadratic, linear, projected, melbo, random",
        ),
        ({"orthogonalisation": "svd"}, "no orthogonalisation 'svd': choose one of qr, polar, soft"),
        ({"factors": 0}, "0 factors cannot be fitted: ask for at least 1"),
        ({"iterations": 0}, "0 iterations fit nothing: ask for at least 1"),
        ({"scale": 0.0}, "the input scale R must be a positive number, not 0.0"),
        ({"scale": -1.0}, "the input scale R must be a positive number, not -1.0"),
        ({"scale": float("inf")}, "the input scale R must be a positive number, not inf"),
        ({"scale": float("nan")}, "the input scale R must be a positive number, not nan"),
        ({"row_batch": 0}, "a row batch of 0 evaluates nothing: give at least 1"),
        ({"radii": ()}, "the radii must be positive shares of R, at least one, not ()"),
        ({"radii": (1.0, 0.0)}, "the radii must be positive shares of R, at least one, not (1.0, 0.0)"),
        ({"radii": ("1",)}, "the radii must be positive shares of R, at least one, not ('1',)"),
        (
            {"method": "linear", "factors": 7},
            "a 6 × 8 Jacobian has 6 singular vectors, not 7: ask for fewer factors",
        ),
        (
            {"method": "projected", "orthogonalisation": "soft", "factors": 7},
            "a 6 × 8 Jacobian has 6 singular vectors, not 7: ask for fewer factors",
        ),
        (
            {"factors": 9},
            "9 orthogonal directions do not fit in width 8: ask for at most 8 factors, or for soft orthogonalisation",
        ),
    ],
)
def test_refusals_name_what_to_change(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        replace(GOOD, **changes).check(8, 6)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"factors": 8},
        {"factors": 20, "orthogonalisation": "soft"},
        {"factors": 20, "method": "random"},
        {"factors": 20, "method": "melbo", "orthogonalisation": "soft"},
        {"factors": 6, "method": "linear"},
    ],
)
def test_what_can_be_fitted(changes: dict[str, object]) -> None:
    replace(GOOD, **changes).check(8, 6)  # type: ignore[arg-type]
