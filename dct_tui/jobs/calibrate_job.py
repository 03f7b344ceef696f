"""Finding the input scale R before a fit is begun, to look at how it was found."""

from __future__ import annotations

from collections.abc import Callable

from ..models.loading import LanguageModel
from ..transcoder import Calibration, Products, calibrate
from .memory import within_memory
from .request import FitRequest, record_of, session_delta

OUT_OF_MEMORY = "calibrate on fewer or shorter prompts, or with --dtype bf16"


def calibrate_request(lm: LanguageModel, request: FitRequest, check: Callable[[], None] | None = None) -> Calibration:
    """The scale that a fit of this request would find; to the same bits, with the same row batch.

    `check` is called between batches of rows; what it raises ends the work.

    Raises:
        DctError: settings, prompts or a slice that cannot be fitted, or no memory.
    """
    request.check()
    with within_memory(OUT_OF_MEMORY):
        delta = session_delta(lm, record_of(lm, request, "calibration"))
        if check is not None:
            delta.on_rows = lambda rows: check()
        return calibrate(Products(delta, request.row_batch), reference=delta.reference_norm, seed=request.seed)
