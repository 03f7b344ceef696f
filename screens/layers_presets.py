"""Settings of a fit that go together."""

from __future__ import annotations

from dataclasses import dataclass

CALIBRATED = "calibrated"
QUICK = "quick look"


@dataclass(frozen=True)
class Preset:
    """Settings that go together."""

    name: str
    note: str
    values: dict[str, str]


def presets(width: int | None) -> tuple[Preset, ...]:
    """The presets, for a model of that width."""

    def most(factors: int) -> str:
        return str(min(factors, width) if width else factors)

    usual = {"method": "exponential", "orthogonalisation": "polar", "scale": CALIBRATED}
    return (
        Preset(
            "standard", "what the post did: most of what there is", {**usual, "factors": most(512), "iterations": "10"}
        ),
        Preset(QUICK, "few factors: strong behaviours show first", {**usual, "factors": most(64), "iterations": "10"}),
        Preset("thorough", "as many as fit, for rare behaviours", {**usual, "factors": most(2048), "iterations": "20"}),
        Preset("melbo", "the earlier objective, prompt by prompt", {**usual, "method": "melbo", "factors": most(256)}),
        Preset(
            "random control", "what chance finds at the same norm", {**usual, "method": "random", "factors": most(512)}
        ),
    )
