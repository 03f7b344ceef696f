"""Slices as numbers: source and target layer. Imports nothing heavy: the screens ask too."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import DctError

BLOCKS_IN_SLICE = 10


@dataclass(frozen=True)
class LayerRange:
    """Source and target layer: h_s enters block s, h_t enters block t (or leaves the last block, t = depth)."""

    source: int
    target: int

    def check(self, depth: int) -> None:
        """Raises DctError where this is no slice of a model of that depth."""
        if not 0 <= self.source < depth:
            raise DctError(f"there is no block {self.source}: the model has {depth}", f"choose --source below {depth}")
        if self.target > depth:
            raise DctError(f"target {self.target} lies beyond the {depth} blocks", f"choose --target up to {depth}")
        if self.source >= self.target:
            raise DctError(
                f"source {self.source} is not below target {self.target}",
                f"choose --target between {self.source + 1} and {depth}",
            )


def chosen_range(depth: int, source: int | None, target: int | None) -> LayerRange:
    """The slice of a model that somebody chose, None being the default. Raises DctError: there is no such slice."""
    usual = default_range(depth)
    first = usual.source if source is None else source
    last = min(first + usual.target - usual.source, depth) if target is None else target
    layers = LayerRange(first, last)
    layers.check(depth)
    return layers


def default_range(depth: int) -> LayerRange:
    """A third of the way up, ten blocks long, and short of the last block."""
    source = min(depth // 3, depth - 1)
    return LayerRange(source, max(source + 1, min(source + BLOCKS_IN_SLICE, depth - 1)))
