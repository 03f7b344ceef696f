"""Ranking by a target: what each feature does to the choice between two words."""

from __future__ import annotations

from collections.abc import Callable

from ..features.words import contrast_direction
from ..models.loading import LanguageModel
from ..models.slice_delta import SliceDelta
from ..models.slices import LayerRange
from ..sessions import Session
from ..transcoder import contrast_scores as scores_of
from .reopen import read_transcoder
from .request import encode_prompts


def contrast_scores(
    lm: LanguageModel, session: Session, towards: str, away: str, check: Callable[[], None] | None = None
) -> list[float]:
    """⟨W_U[towards] − W_U[away], Δ_{s→last}(Rv)⟩ for each feature, at the last position of the fit's prompts.

    `check` is called between batches of features; what it raises ends the work.
    """
    record = session.record
    prompts = encode_prompts(lm, record.prompts.fit, record.prompts.system)
    to_last = SliceDelta(lm, prompts, LayerRange(record.slice.source, lm.depth), positions=1)
    if check is not None:
        to_last.on_rows = lambda rows: check()
    scores: list[float] = scores_of(to_last, read_transcoder(session), contrast_direction(lm, towards, away)).tolist()
    return scores
