"""The features of a session as vectors to export."""

from __future__ import annotations

from collections.abc import Sequence

from dct_tui.errors import DctError
from dct_tui.sessions import Session

from .vectors import Direction, ExportContext, ExportVector, Role

__all__ = ["session_context", "session_vectors"]


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
            counterpart=there[:, feature],
            scale=fit.scale,
            strength=strength,
            source=session.record.slice.source if direction == "input" else session.record.slice.target,
            role=role,
            feature=feature,
            direction=direction,
        )
        for feature in features
    ]
