"""The features of a session as vectors to export."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from dct_tui.errors import DctError
from dct_tui.sessions import Session
from dct_tui.sessions.rack import RackEntry
from dct_tui.sessions.selection import Selection

from .vectors import Direction, ExportContext, ExportVector, Float32, Role

__all__ = ["rack_vectors", "selected_vectors", "session_context", "session_vectors"]


def session_context(session: Session) -> ExportContext:
    """Where the vectors of a session belong."""
    record = session.record
    return ExportContext(
        name=session.name,
        model=record.model.spec,
        commit=record.model.commit,
        model_type=record.model.model_type,
        depth=record.model.depth,
        width=record.model.width,
        source=record.slice.source,
        target=record.slice.target,
        method=record.fit.method,
        seed=record.fit.seed,
        prompts_sha256={
            "fit": record.prompts.fit_sha256,
            "validation": record.prompts.validation_sha256,
        },
        versions=record.versions,
    )


def selected_vectors(session: Session, selection: Selection) -> list[ExportVector]:
    """The vectors that are meant. Raises DctError as `session_vectors` and `rack_vectors`."""
    if selection.rack is not None:
        return rack_vectors(session, selection.rack)
    return session_vectors(
        session,
        selection.features,
        strength=selection.strength,
        role=selection.role,
        direction=selection.direction,
    )


def session_vectors(
    session: Session,
    features: Sequence[int],
    *,
    strength: float = 1.0,
    role: Role = "add",
    direction: Direction = "input",
) -> list[ExportVector]:
    """These features as vectors, each with its counterpart at the other end of the slice.

    Steering with an output direction adds it where it arises, at the input of the target block.

    Raises:
        DctError: there is no such feature, or no fit.
    """
    fit = session.read_fit()
    count = fit.alpha.size
    for feature in features:
        if not 0 <= feature < count:
            raise DctError(f"there is no feature {feature}", f"this session has features 0 to {count - 1}")
    suffix = "" if direction == "input" else " output"
    here, there = (fit.V, fit.U) if direction == "input" else (fit.U, fit.V)
    return [
        ExportVector(
            name=f"feature {feature}{suffix}",
            vector=here[:, feature],
            counterpart=_known(there[:, feature]),
            scale=fit.scale,
            strength=strength,
            source=session.record.slice.source if direction == "input" else session.record.slice.target,
            role=role,
            feature=feature,
            direction=direction,
        )
        for feature in features
    ]


def rack_vectors(session: Session, rack: Iterable[RackEntry]) -> list[ExportVector]:
    """What is on the rack and in force, as vectors: what is exported does what the chat did.

    Raises:
        DctError: there is no such feature, or no fit.
    """
    fit = session.read_fit()
    found = []
    for entry in rack:
        if not entry.on:
            continue
        entry.check(fit.alpha.size)
        chosen = list(entry.features)
        direction: Direction = "output" if entry.mode == "ablate output" else "input"
        here, there = (fit.V, fit.U) if direction == "input" else (fit.U, fit.V)
        suffix = "" if direction == "input" else " output"
        alone = len(chosen) == 1
        found.append(
            ExportVector(
                name=(f"feature {entry.which}" if alone else entry.which) + suffix,
                vector=_mean(here[:, chosen]),
                counterpart=_known(there[:, chosen[0]]) if alone else None,
                scale=fit.scale,
                strength=entry.strength if entry.mode == "steer" else 1.0,
                source=session.record.slice.source if direction == "input" else session.record.slice.target,
                role="add" if entry.mode == "steer" else "ablate",
                ablation=entry.kind,
                layers=entry.layers,
                feature=chosen[0] if alone else None,
                direction=direction,
            )
        )
    return found


def _mean(columns: Float32) -> Float32:
    """Their unit direction, as the chat takes it."""
    mean = columns.mean(axis=1)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), np.finfo(np.float32).tiny), np.float32)


def _known(direction: Float32) -> Float32 | None:
    # The output direction of an imported feature is zeros where no model was open to measure it.
    return direction if direction.any() else None
