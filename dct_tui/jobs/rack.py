"""From the rack of features to what is done to the model."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor
from torch.nn.functional import normalize

from ..errors import DctError
from ..models.interventions import ABLATION_KINDS, Ablation, AblationKind, Intervention, Steering
from ..sessions.rack import RackEntry
from ..transcoder import Transcoder


def interventions(rack: Iterable[RackEntry], transcoder: Transcoder, source: int) -> list[Intervention]:
    """What the entries that are on do.

    Args:
        source: the block whose input the features were fitted at.

    Raises:
        DctError: no such feature.
    """
    return [_intervention(entry, transcoder, source) for entry in rack if entry.on]


def _intervention(entry: RackEntry, transcoder: Transcoder, source: int) -> Intervention:
    columns = transcoder.U if entry.mode == "ablate output" else transcoder.V
    entry.check(columns.shape[1])
    direction = _mean(columns, entry.features)
    if entry.mode == "steer":
        return Steering(entry.strength * transcoder.config.scale * direction, source)
    return Ablation(direction, entry.kind, entry.layers)


def _mean(columns: Tensor, features: tuple[int, ...]) -> Tensor:
    """Their unit direction, d."""
    return normalize(columns[:, list(features)].mean(dim=1), dim=0)


def ablation_kind(text: str) -> AblationKind:
    """`writes` or `stream`.

    Raises:
        DctError: anything else.
    """
    for kind in ABLATION_KINDS:
        if text == kind:
            return kind
    raise DctError(f"there is no ablation {text!r}", f"choose {' or '.join(ABLATION_KINDS)}")
