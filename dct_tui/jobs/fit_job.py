"""Fitting into a session folder: calibrate, fit with a checkpoint an iteration, describe the features."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch

from ..errors import DctError, SessionDamaged
from ..features.describe import describe
from ..models.loading import LanguageModel
from ..models.slice_delta import SliceDelta
from ..sessions import Checkpoint, FitTensors, Session, new_session_path
from ..transcoder import (
    Calibration,
    FitConfig,
    FitState,
    Iteration,
    NotFiniteError,
    Products,
    Transcoder,
    calibrate,
    fit,
)
from ..transcoder.calibration import MOST_ROWS
from .memory import within_memory
from .meter import Meter, Rest
from .request import FitRequest, encode_prompts, record_of, request_of, session_delta


@dataclass(frozen=True)
class Step:
    """How far a fit is.

    Attributes:
        stage: what is being done.
        done, of: iterations of a fit, features of a description.
        iteration: how the last iteration went.
        calibration: the scale that was found, once it is.
    """

    stage: Literal["calibrate", "fit", "describe"]
    done: int
    of: int
    iteration: Iteration | None = None
    calibration: Calibration | None = None


OnStep = Callable[[Step], None]
SCALE_RANGE = (1e-5, 1e5)
OUT_OF_MEMORY = "fit on fewer or shorter prompts, or with --dtype bf16; or go on with --device cpu"


@dataclass(frozen=True)
class Prepared:
    """A fit that can start: its session's folder is made, and everything that can be refused has been."""

    session: Session
    delta: SliceDelta


def prepare(lm: LanguageModel, request: FitRequest, path: Path | None = None) -> Prepared:
    """Makes the folder of a session, or finds the unfinished one of the same settings in it.

    Args:
        path: the folder; by default a new one among the others, named after model, slice and method.

    Raises:
        DctError: settings, prompts or a slice that cannot be fitted, or a folder that holds something else.
        SessionBusy: another process is fitting in it.
    """
    if not request.prompts.fit:
        raise DctError("there are no prompts to fit on", "give at least one")
    request.check()
    layers = request.layers(lm.depth)
    path = path or new_session_path(lm.source.title, layers.source, layers.target, request.method)
    record = record_of(lm, request, path.name)
    encode_prompts(lm, record.prompts.validation, record.prompts.system)
    with within_memory(OUT_OF_MEMORY):
        delta = session_delta(lm, record)
    _check_scale(request.scale, delta.reference_norm)
    return Prepared(Session.create(path, record), delta)


def resume(lm: LanguageModel, session: Session) -> Prepared:
    """A session's fit, to go on with from its last finished iteration.

    Raises:
        DctError: the session is fitted already, and nothing of it is missing.
    """
    if session.record.status == "fitted" and session.has_fit and session.read_features():
        raise DctError(f"{session.name} is already fitted", "see `dct-tui features`, or fit into another folder")
    with within_memory(OUT_OF_MEMORY):
        return Prepared(session, session_delta(lm, session.record))


def run(
    lm: LanguageModel,
    prepared: Prepared,
    on_step: OnStep | None = None,
    rest: Rest | None = None,
    expected: float | None = None,
) -> Transcoder:
    """Fits, from the last finished iteration where there is one, and describes the features.

    An interrupt or an error leaves the folder with its last finished iteration, ready to go on from.

    Args:
        on_step: called as the fit goes on.
        rest: called often; it may hold up the fit, raise Enough to end it at its last finished iteration (the record
            then says how many there were, so that it can be repeated), or a KeyboardInterrupt to stop it.
        expected: seconds that it was said to take, to be kept beside what it takes.

    Raises:
        DctError: the model gives values that are not finite, or the folder cannot be written.
        SessionBusy: another process is fitting it.
    """
    session = prepared.session
    with session.writing():
        session.update_record(status="fitting", failure=None)
        try:
            with within_memory(OUT_OF_MEMORY):
                meter = Meter(session, lm.device, rest, expected)
                transcoder = _fit(lm, session, prepared.delta, on_step or (lambda step: None), meter)
        except KeyboardInterrupt:
            _note(session, status="stopped")
            raise
        except Exception as error:
            _note(session, status="failed", failure=" ".join(str(error).split()) or type(error).__name__)
            if isinstance(error, NotFiniteError):
                raise DctError(str(error), "try --scale with a smaller number, or --dtype fp32") from error
            if isinstance(error, ValueError):
                raise DctError(str(error)) from error
            raise
        session.update_record(status="fitted", row_batch=transcoder.config.row_batch)
    return transcoder


def _fit(lm: LanguageModel, session: Session, delta: SliceDelta, announce: OnStep, meter: Meter) -> Transcoder:
    delta.on_rows = meter.rows
    try:
        transcoder = _iterate(lm, session, delta, announce, meter)
        record, config = session.record, transcoder.config
        _keep(session, transcoder)
        prompts = record.prompts
        judged = encode_prompts(lm, prompts.validation or prompts.fit, prompts.system)

        def after_some(done: int, of: int) -> None:
            announce(Step("describe", done, of))
            meter.described(done)

        delta.on_rows = lambda rows: meter.rest()
        meter.begin("describe", config.factors)
        session.write_features(describe(lm, delta, transcoder, record.slice.source, judged, after_some))
    finally:
        delta.on_rows = None
        meter.end()
    return transcoder


def _iterate(lm: LanguageModel, session: Session, delta: SliceDelta, announce: OnStep, meter: Meter) -> Transcoder:
    scale = _scale(session, delta, announce, meter)
    config = request_of(session.record).config(lm.width, scale)

    def after_iteration(state: FitState) -> None:
        # The journal first: an interrupt in between repeats an entry, which is allowed, rather than losing one.
        if state.history:
            meter.finished(state.history[-1], config.iterations)
        session.write_checkpoint(_checkpoint(state, scale))
        meter.begin("fit", state.history[-1].rows if state.history else config.factors)
        announce(Step("fit", state.iteration, config.iterations, state.history[-1] if state.history else None))
        meter.rest()

    meter.begin("fit", config.factors)
    state = _state(session, config)
    if state is not None:
        meter.iteration = state.iteration
        announce(Step("fit", state.iteration, config.iterations))
    return fit(delta, config, state=state, on_iteration=after_iteration)


def _keep(session: Session, transcoder: Transcoder) -> None:
    record, config = session.record, transcoder.config
    if config.iterations != record.fit.iterations:
        # Before the fit is there: a death in between is gone on from to this very fit.
        record = session.update_record(fit=replace(record.fit, iterations=config.iterations))
    session.write_fit(
        FitTensors(
            U=transcoder.U.float().cpu().numpy(),
            V=transcoder.V.float().cpu().numpy(),
            alpha=transcoder.alpha.float().cpu().numpy(),
            scale=config.scale,
            iteration=config.iterations,
            source=record.slice.source,
            target=record.slice.target,
        )
    )


def _scale(session: Session, delta: SliceDelta, announce: OnStep, meter: Meter) -> float:
    """R: as asked for, as found before, or found now and written down."""
    record = session.record
    if record.fit.scale is not None:
        return record.fit.scale
    if record.calibration is not None:
        found_before = record.calibration.get("scale")
        if not isinstance(found_before, float) or not 0 < found_before < float("inf"):
            raise SessionDamaged(f"the calibration of {session.name} holds no scale", "fit anew into another folder")
        return found_before
    announce(Step("calibrate", 0, 1))
    meter.begin("calibrate", MOST_ROWS)
    products = Products(delta, record.row_batch)
    found = calibrate(products, reference=delta.reference_norm, seed=record.fit.seed)
    session.update_record(calibration=asdict(found))
    announce(Step("calibrate", 1, 1, calibration=found))
    return found.scale


def _check_scale(scale: float | None, reference: float) -> None:
    if scale is not None and not SCALE_RANGE[0] * reference <= scale <= SCALE_RANGE[1] * reference:
        raise DctError(
            f"R = {scale:g} is lost beside the stream's median norm of {reference:.3g}, or drowns it",
            "choose --scale between a hundredth and a few times that norm, or leave it to be calibrated",
        )


def _note(session: Session, **changes: Any) -> None:
    # On a full disk this fails like the write before it, and that error is the one to tell.
    with suppress(DctError):
        session.update_record(**changes)


def _checkpoint(state: FitState, scale: float) -> Checkpoint:
    tensors = {"V": state.V, "gradient_norms": state.gradient_norms}
    return Checkpoint(
        iteration=state.iteration,
        arrays={name: tensor.float().cpu().numpy() for name, tensor in tensors.items() if tensor is not None},
        state={
            "row_batch": state.row_batch,
            "scale": scale,
            "history": [asdict(iteration) for iteration in state.history],
        },
    )


def _state(session: Session, config: FitConfig) -> FitState | None:
    """Where the fit stood; None before its start."""
    checkpoint = session.read_checkpoint()
    if checkpoint is None or checkpoint.state.get("scale") != config.scale:
        return None
    norms = checkpoint.arrays.get("gradient_norms")
    try:
        return FitState(
            iteration=checkpoint.iteration,
            V=torch.from_numpy(checkpoint.arrays["V"]),
            gradient_norms=None if norms is None else torch.from_numpy(norms),
            row_batch=int(checkpoint.state["row_batch"]),
            history=tuple(Iteration(**entry) for entry in checkpoint.state["history"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SessionDamaged(
            f"the checkpoint of {session.name} is damaged: {error!r}", "move it away to fit from the start"
        ) from error
