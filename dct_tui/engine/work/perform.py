"""Which function does which request. The imports are inside, so that nothing is imported before it is asked for."""

from __future__ import annotations

from typing import Any

from ..messages import CalibrateOn, Contrast, Export, Load, Reply, Request, ResumeFit, SampleFeatures, StartFit
from .desk import Desk
from .rooms import import_rooms

__all__ = ["BRIEF", "GOING_ON", "RANKS", "perform"]

RANKS: dict[type[Any], int] = {
    Reply: 0,
    Contrast: 1,
    CalibrateOn: 2,
    Load: 2,
    Export: 2,
    StartFit: 3,
    ResumeFit: 3,
    SampleFeatures: 4,
}
"""The jobs on the model, by who goes first."""

BRIEF = (Reply, Contrast)
"""Done in the midst of those that take long."""

GOING_ON = (StartFit, ResumeFit, SampleFeatures, Reply)
"""They write to a session, and go on when whoever asked for them leaves."""


def perform(request: Request, desk: Desk) -> dict[str, Any]:
    """Does a job, in the worker's thread. Raises what is wrong with it."""
    import_rooms()
    if isinstance(request, Load):
        desk.model(request.model)
        return {}
    if isinstance(request, StartFit | ResumeFit | CalibrateOn):
        from . import fitting

        if isinstance(request, StartFit):
            return fitting.start_fit(request, desk)
        if isinstance(request, ResumeFit):
            return fitting.resume_fit(request, desk)
        return fitting.calibrate_on(request, desk)
    if isinstance(request, Export):
        from . import exporting

        return exporting.export(request, desk)
    from . import talking

    if isinstance(request, SampleFeatures):
        return talking.sample_features(request, desk)
    if isinstance(request, Reply):
        return talking.reply(request, desk)
    assert isinstance(request, Contrast)
    return talking.contrast(request, desk)
