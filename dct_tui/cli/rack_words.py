"""What `--steer` and `--ablate` say, as a rack."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from ..sessions.rack import RackEntry

Steer: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(help="Add features: 12:+1.0 or mean(3,4):-0.5; several with spaces between."),
]
Ablate: TypeAlias = Annotated[
    list[str] | None, typer.Option(help="Project directions out: 40:u (output) or mean(40,41):v (input).")
]
Ablation: TypeAlias = Annotated[str, typer.Option(help="writes (out of what attention and MLP write) or stream.")]
AblatedLayers: TypeAlias = Annotated[str, typer.Option(help="Layers to ablate in: all, or such as 4-8.")]


def rack_of(
    steer: Sequence[str] | None, ablate: Sequence[str] | None, ablation: str, layers: str, depth: int, count: int
) -> list[RackEntry]:
    """The entries, in order.

    Args:
        depth: the number of blocks.
        count: the number of features.

    Raises:
        DctError: words that are none, or a feature or layer that is not there.
    """
    from ..jobs.rack import ablation_kind
    from ..sessions.rack import parse_ablate, parse_steer

    where = _layers(layers, depth)
    kind = ablation_kind(ablation)
    rack = [
        *(parse_steer(word) for word in _words(steer)),
        *(parse_ablate(word, kind, where) for word in _words(ablate)),
    ]
    for one in rack:
        one.check(count)
    return rack


def _layers(text: str, depth: int) -> tuple[int, ...] | None:
    from ..features.choose import parse_indices

    return None if text.strip() == "all" else tuple(parse_indices(text, depth, "layer"))


def _words(given: Sequence[str] | None) -> list[str]:
    """The words of all values; a space after a comma, as in mean(3, 4), parts none."""
    return [word for text in given or () for word in re.sub(r"\s*,\s*", ",", text).split()]
