"""Which vectors of a session are meant, and what is to be done with them: as it is chosen, and sent to an engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from .rack import RackEntry

__all__ = ["Direction", "Role", "Selection"]

Role: TypeAlias = Literal["add", "ablate"]
Direction: TypeAlias = Literal["input", "output"]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Features of which all are used alike, or a rack, of which each entry says itself how it is used.

    Attributes:
        features: their indices; of no meaning beside a rack, as all that follows.
        strength: in units of R; of no meaning for ablations.
        role: `add` for steering, `ablate` for projecting out.
        direction: whether their input directions v are meant or their output directions u.
        rack: what is not `on` is left out; None where features are selected.
    """

    features: tuple[int, ...] = ()
    strength: float = 1.0
    role: Role = "add"
    direction: Direction = "input"
    rack: tuple[RackEntry, ...] | None = None
