"""The rack as it is kept and sent: which features are added or ablated, and how strongly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["RackEntry", "RackMode"]

RackMode: TypeAlias = Literal["steer", "ablate input", "ablate output"]


@dataclass(frozen=True, kw_only=True)
class RackEntry:
    """One feature, or the mean of several, and what is done with it.

    Attributes:
        features: their indices; several stand for the mean of their directions.
        mode: `steer` adds strength · R · v; the others project v (input) or u (output) out.
        strength: in units of R, its sign included; of no meaning for an ablation.
        on: whether it is in force.
    """

    features: tuple[int, ...]
    mode: RackMode = "steer"
    strength: float = 1.0
    on: bool = True

    def __str__(self) -> str:
        which = str(self.features[0]) if len(self.features) == 1 else f"mean({','.join(map(str, self.features))})"
        how = f"{self.strength:+g}" if self.mode == "steer" else {"ablate input": "v", "ablate output": "u"}[self.mode]
        return f"{which}:{how}"
