"""What is exported: vectors, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from dct_tui.errors import DctError
from dct_tui.sessions.rack import AblationKind
from dct_tui.sessions.selection import Direction, Role

__all__ = [
    "Direction",
    "ExportContext",
    "ExportVector",
    "Float32",
    "Role",
    "columns",
    "metadata",
    "require_added",
    "site",
]

Float32: TypeAlias = NDArray[np.float32]
# As Python's numbers: comparing with numpy's would round to float32 first, with a warning.
_LEAST, _MOST = float(np.finfo(np.float32).smallest_subnormal), float(np.finfo(np.float32).max)


@dataclass(frozen=True, kw_only=True)
class ExportVector:
    """One direction and what is to be done with it.

    Attributes:
        name: how it is called, such as `feature 12`.
        vector: the direction, d values; `strength · scale · vector` is what steering adds.
        counterpart: of a feature, its direction at the other end of the slice (u for an input direction v).
        scale: R, the norm at which the feature was trained.
        strength: in units of R; 1.0 is the strength of the fit.
        source: 0-based index of the block whose input is steered.
        role: `add` for steering; `ablate` for a direction that is to be projected out, which is never added.
        ablation: of one to ablate: out of what attention and MLP write, or out of the whole residual stream.
        layers: of one to ablate: the blocks; None for all.
        feature: its index in the session, None for another vector, such as a mean.
        direction: whether `vector` is the feature's input direction v or its output direction u.

    Raises:
        DctError: values that are not finite, not one row of them, or all zero; a scale that is not positive;
            a strength of 0, or one that is 0 or infinite in float32, alone or times R.
    """

    name: str
    vector: Float32
    counterpart: Float32 | None = None
    scale: float
    strength: float = 1.0
    source: int
    role: Role = "add"
    ablation: AblationKind = "writes"
    layers: tuple[int, ...] | None = None
    feature: int | None = None
    direction: Direction = "input"

    def __post_init__(self) -> None:
        for vector in (self.vector, self.counterpart):
            if vector is not None and (vector.ndim != 1 or not np.isfinite(vector).all() or not vector.any()):
                raise DctError(f"{self.name} cannot be exported: it is not one row of finite values, not all zero")
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise DctError(f"{self.name} cannot be exported: its scale R is {self.scale}")
        if not np.isfinite(self.strength) or self.strength == 0:
            raise DctError(f"{self.name} would do nothing at strength {self.strength}", "give another strength")
        # The files hold float32, in which a large number is infinite and a small one is 0.
        longest = float(np.abs(self.vector).max())
        for size in (abs(self.strength), abs(self.strength) * self.scale, abs(self.strength) * self.scale * longest):
            if not _LEAST <= size <= _MOST:
                raise DctError(
                    f"{self.name} at strength {self.strength:g} is beyond what float32 holds", "give another strength"
                )

    @property
    def steering(self) -> Float32:
        """What is added to the residual stream: strength · R · v, d values."""
        product = self.vector.astype(np.float64) * (self.strength * self.scale)
        return np.asarray(product, np.float32)


@dataclass(frozen=True, kw_only=True)
class ExportContext:
    """The model and the fit that the vectors belong to.

    Attributes:
        name: a stem for file names, such as the session's name.
        model: the model as the user named it; `commit` its hub commit, where there is one.
        model_type: transformers' `config.model_type`.
        depth: number of blocks.
        width: d.
        source, target: the slice; blocks source … target-1, 0-based.
        prompts_sha256: list of prompts → its hash.
        versions: package → version.
        blocks: the name of the model's list of blocks, where it is known: finding it needs the model, and so do
        writers: for each block, the names of the modules that write to the residual stream.
    """

    name: str
    model: str
    commit: str | None
    model_type: str
    depth: int
    width: int
    source: int
    target: int
    method: str
    seed: int
    prompts_sha256: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    blocks: str | None = None
    writers: Sequence[Sequence[str]] | None = None


def require_added(vector: ExportVector, context: ExportContext, what: str) -> None:
    """Raises DctError where `what`, which only ever adds vectors, cannot hold this one."""
    if vector.role != "add":
        raise DctError(
            f"{vector.name} is to be ablated, and {what} is always added",
            "export it as lora, model, python, safetensors or npz",
        )
    if vector.source >= context.depth:
        raise DctError(f"{vector.name} enters block {vector.source} of a model with {context.depth} blocks")
    if vector.vector.size != context.width:
        raise DctError(f"{vector.name} has {vector.vector.size} values, the model's width is {context.width}")


def columns(vectors: Sequence[ExportVector], direction: Direction) -> Float32 | None:
    """The input (V) or output (U) directions as columns, d × k; None where one of the vectors has none.

    The columns are as they were given: neither scale nor strength is in them.
    """
    found = [v.vector if v.direction == direction else v.counterpart for v in vectors]
    present = [vector for vector in found if vector is not None]
    return np.stack(present, axis=1).astype(np.float32) if len(present) == len(vectors) else None


def metadata(vectors: Sequence[ExportVector], context: ExportContext) -> dict[str, str]:
    """Where these vectors belong, as text; layers by block and by transformers' `hidden_states` index.

    Raises:
        DctError: vectors of different scales or for different layers, which one file cannot tell apart.
    """
    first = vectors[0]
    for vector in vectors[1:]:
        if _belonging(vector) != _belonging(first):
            raise DctError(
                f"{vector.name} and {first.name} differ in layer, scale or role",
                "export them to files of their own",
            )
    # transformers' last hidden state is after the final norm: it is not what leaves the last block.
    last = "none: output of the last block, before the final norm"
    return {
        "format": "dct-tui vectors",
        "format_version": "1",
        "model": context.model,
        "commit": context.commit or "",
        "model_type": context.model_type,
        "depth": str(context.depth),
        "width": str(context.width),
        "role": first.role,
        "site": site(first),
        **({"ablation": first.ablation, "layers": _json(first.layers)} if first.role == "ablate" else {}),
        "source_block": str(first.source),
        "source_hidden_states": str(first.source),
        "target_block": str(context.target),
        "target_hidden_states": last if context.target == context.depth else str(context.target),
        "R": str(np.float32(first.scale)),
        "method": context.method,
        "seed": str(context.seed),
        "names": _json([vector.name for vector in vectors]),
        "features": _json([vector.feature for vector in vectors]),
        "directions": _json([vector.direction for vector in vectors]),
        "strengths": _json([vector.strength for vector in vectors]),
        "prompts_sha256": _json(dict(context.prompts_sha256)),
        "versions": _json(dict(context.versions)),
    }


def site(vector: ExportVector) -> str:
    """Where a vector acts, in words."""
    if vector.role == "add":
        return f"residual stream entering block {vector.source}, every position"
    if vector.ablation == "stream":
        return "residual stream after each of the blocks, projected out"
    return "what attention and MLP of the blocks write to the residual stream, projected out"


def _belonging(vector: ExportVector) -> tuple[object, ...]:
    ablation = (vector.ablation, vector.layers) if vector.role == "ablate" else ()
    return (vector.source, vector.scale, vector.role, *ablation)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
