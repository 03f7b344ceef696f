"""One row of the triage list: what is known of a feature, what its samples show, and how it is marked."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..sessions.marks import BLANK, FeatureMarks
from .evidence import NONE, Evidence

MARKS = {"starred": "★", "rejected": "✗", None: " "}


@dataclass(frozen=True)
class FeatureRow:
    """A feature as the list shows it.

    Attributes:
        index: its column in V and U.
        rank: the place the fit gives it, distinct and strong ones first; from 1.
        alpha: its strength.
        norm: ‖Δ(Rv)‖; infinite where that is not finite, None for one that was added and not measured.
        kl: nats a token at strength 1; infinite and None as for `norm`.
        words: those that u promotes.
        neighbours: pairs of index and cosine of v.
        members: the features that it is the average of.
        imported: the name under which it was imported; empty for all others.
        evidence: what its samples show.
        marks: a person's judgement.
        contrast: its score in the last contrast of two words; None before one was asked for.
    """

    index: int
    rank: int
    alpha: float
    norm: float | None
    kl: float | None
    words: tuple[str, ...]
    neighbours: tuple[tuple[int, float], ...] = ()
    members: tuple[int, ...] = ()
    imported: str = ""
    evidence: Evidence = field(default=NONE, repr=False)
    marks: FeatureMarks = BLANK
    contrast: float | None = None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> FeatureRow:
        """The row of a record of `Session.read_features`, with nothing sampled or marked yet."""
        # What was added to the fit has members, if only none; its measures are missing, not infinite.
        unknown = None if "members" in record else math.inf
        return cls(
            index=record["index"],
            rank=record["rank"],
            alpha=record["alpha"],
            norm=unknown if record["norm"] is None else record["norm"],
            kl=unknown if record["kl"] is None else record["kl"],
            words=tuple(record["words"]),
            neighbours=tuple((index, cosine) for index, cosine in record["neighbours"]),
            members=tuple(record.get("members", ())),
            imported=record["imported"]["name"] if "imported" in record else "",
        )

    def with_(self, **changes: Any) -> FeatureRow:
        """The row with other evidence, marks or contrast."""
        return dataclasses.replace(self, **changes)

    @property
    def added(self) -> bool:
        """Whether a person made or brought it, beside those of the fit."""
        return bool(self.members or self.imported)

    @property
    def judged(self) -> bool:
        """Whether it is starred or rejected."""
        return self.marks.verdict is not None

    @property
    def changed(self) -> float | None:
        """Share of texts changed at the best strength; None where that is not known."""
        return self.evidence.best.changed if self.evidence.best else None

    @property
    def broken(self) -> float | None:
        """Share of degenerate texts at the best strength; None without samples."""
        return self.evidence.best.degenerate if self.evidence.best else None

    @property
    def mark(self) -> str:
        """The verdict as a glyph."""
        return MARKS[self.marks.verdict]
