"""R in words: how large it is beside the stream, where it comes from, and when it is too large to be of use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

LARGE, USUAL = 0.45, 0.3
"""Shares of the stream's median norm ‖h_s‖: from the first on models mostly break; about the second they answer."""


def share_of_norm(found: Mapping[str, Any]) -> float | None:
    """A calibrated R as a share of ‖h_s‖; None where either is not known."""
    scale, reference = _positive(found.get("scale")), _positive(found.get("reference"))
    return scale / reference if scale and reference and math.isfinite(scale / reference) else None


def scale_words(given: float | None, calibration: Mapping[str, Any] | None) -> str:
    """R, and where it comes from."""
    if given is not None:
        return f"R = {given:.4g}, set by hand"
    scale = _positive((calibration or {}).get("scale"))
    if calibration is None or scale is None:
        return "R is not known yet"
    found = share_of_norm(calibration)
    share = f", {found:.0%} of the stream's median norm" if found is not None else ""
    how = {
        "solved": ", calibrated",
        "fallback": " (no bend was found: check strengths by sampling)",
        "unbounded": " (nothing to calibrate on: check strengths by sampling)",
    }.get(str(calibration.get("kind")), "")
    return f"R = {scale:.4g}{share}{how}"


def large_words(calibration: Mapping[str, Any] | None) -> str:
    """What is to be known of a calibrated R above .45 of the norm, and what to try; empty for another."""
    share = share_of_norm(calibration or {})
    # The share that a fallback takes is not above itself by rounding.
    if calibration is None or share is None or share <= LARGE + 1e-6:
        return ""
    usual = USUAL * float(calibration["reference"])
    return f"! above {LARGE:.0%} of that norm models mostly break: try a lower R, such as {usual:.3g}"


def _positive(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < math.inf:
        return None
    return float(value)
