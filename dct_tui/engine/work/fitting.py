"""Fits, from their start or from where they stopped, and the scale before them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dct_tui.errors import DctError
from dct_tui.jobs.calibrate_job import calibrate_request
from dct_tui.jobs.fit_job import Prepared, Step, prepare, resume, run
from dct_tui.jobs.meter import note
from dct_tui.models.loading import LanguageModel
from dct_tui.paths import expand
from dct_tui.sessions import Session
from dct_tui.sessions.record import now
from dct_tui.transcoder import Enough

from ..errors import Cancelled
from ..messages import CalibrateOn, ResumeFit, StartFit
from .choices import fit_of
from .desk import Desk


def start_fit(request: StartFit, desk: Desk) -> dict[str, Any]:
    """Fits into a new session."""
    wanted = fit_of(request.fit)
    path = desk.work.session if request.session is None else expand(request.session)
    made_already = desk.work.on_drop is not None
    if request.session is None and path is not None and path.exists() and not made_already:
        path = None  # Somebody else was given that name meanwhile.
    if made_already and path is not None and not Session.exists(path):
        raise Cancelled("its session was moved or thrown away while it waited")
    lm = desk.model(request.model)
    try:
        prepared = prepare(lm, wanted, path)
    except DctError:
        if desk.work.on_drop is not None:
            desk.work.on_drop()  # Nothing can come to be in it.
        raise
    return _fit(lm, prepared, desk, request.expected)


def resume_fit(request: ResumeFit, desk: Desk) -> dict[str, Any]:
    """Goes on with a fit."""
    session = Session.open(Path(request.session))
    with session.writing():
        pass  # Refused now, rather than once the model is loaded.
    lm = desk.model_of(session)
    return _fit(lm, resume(lm, session), desk)


def calibrate_on(request: CalibrateOn, desk: Desk) -> dict[str, Any]:
    """Finds R for a fit that is not begun yet."""
    wanted = fit_of(request.fit)
    lm = desk.model(request.model)
    desk.stage("calibrate", 0, 1)
    found = calibrate_request(lm, wanted, desk.check)
    return {"scale": found.scale, "kind": found.kind, "curve": found.curve, "reference": found.reference}


def _fit(lm: LanguageModel, prepared: Prepared, desk: Desk, expected: float | None = None) -> dict[str, Any]:
    session, work = prepared.session, desk.work
    desk.belongs_to(session.path)
    desk.tell({"session": str(session.path)})
    finished = of = 0

    def on_step(step: Step) -> None:
        nonlocal finished, of
        if step.stage == "fit":
            finished, of = step.done, step.of
        desk.stage(step.stage, step.done, step.of)

    def rest() -> None:
        desk.check()
        # Before the first iteration there is nothing to end with, after the last nothing to end.
        if work.enough and 1 <= finished < of:
            work.enough = False
            raise Enough

    work.on_pause = lambda: note(session, stage="paused", iteration=finished, at=now())
    run(lm, prepared, on_step, rest, expected)
    return {"session": str(session.path)}
