"""What is answered without a model, beside the job that runs: each in a thread of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from ..messages import Download, ForecastOf, Inspect, Models, Preview, Request
from .rooms import import_files, import_rooms

__all__ = ["ASIDE", "SHOWN", "Aside", "aside"]

ASIDE = (Models, Inspect, ForecastOf, Preview, Download)
log = logging.getLogger(__name__)
SHOWN = (Download.do,)
"""Those that take long enough to be listed among the jobs."""


@dataclass(frozen=True)
class Aside:
    """What such a request has at hand.

    Attributes:
        tell: sends an event.
        check: raises Stop where it is to end.
        freed: bytes of a device (None: the default one) that are free once the held model is let go of.
        at_rest: whether no job runs, so that a device's speed can be measured.
    """

    tell: Callable[[dict[str, Any]], None]
    check: Callable[[], None]
    freed: Callable[[str | None], int]
    at_rest: bool


def aside(request: Request, at_hand: Aside) -> dict[str, Any]:
    """Answers a request.

    Raises:
        DctError: there is no such model, or nothing can be said of it.
    """
    if isinstance(request, Preview | ForecastOf):
        import_rooms()
    else:
        import_files()
    if isinstance(request, Models):
        return {"models": _models(at_hand)}
    if isinstance(request, Inspect):
        from dct_tui.models.catalog import find_model
        from dct_tui.models.summary import summarise

        return {"model": asdict(summarise(find_model(request.name)))}
    if isinstance(request, Preview):
        return _preview(request, at_hand)
    if isinstance(request, Download):
        return _download(request, at_hand)
    assert isinstance(request, ForecastOf)
    return _forecast(request, at_hand)


def _models(at_hand: Aside) -> list[dict[str, Any]]:
    from dct_tui.models.catalog import list_models
    from dct_tui.models.summary import summarise, unknown

    found = []
    for source in list_models():
        at_hand.check()
        try:
            found.append(asdict(summarise(source)))
        except Exception as error:  # One folder that nobody foresaw must not hide all others.
            log.exception("%s cannot be looked at", source.folder)
            problem = f"it cannot be looked at: {type(error).__name__}"
            found.append(asdict(unknown(source, problem)))
    return found


def _download(request: Download, at_hand: Aside) -> dict[str, Any]:
    from dct_tui.models.download import download
    from dct_tui.models.summary import summarise

    def tell(file: str, done: int, of: int) -> None:
        at_hand.tell({"file": file, "done": done, "of": of})

    return asdict(summarise(download(request.name, request.revision, on_progress=tell, check=at_hand.check)))


def _preview(request: Preview, at_hand: Aside) -> dict[str, Any]:
    from dct_tui.models.preview import preview

    seen = preview(
        request.model.name,
        request.prompts,
        request.system,
        request.target_positions,
        revision=request.model.revision,
        trust_remote_code=request.model.trust_remote_code,
        check=at_hand.check,
    )
    return asdict(seen)


def _forecast(request: ForecastOf, at_hand: Aside) -> dict[str, Any]:
    from dct_tui.jobs.forecast_job import forecast_request

    from .choices import fit_of

    model = request.model
    found = forecast_request(
        model.name,
        None if request.fit is None else fit_of(request.fit),
        dtype=model.dtype,
        device=model.device,
        revision=model.revision,
        trust_remote_code=model.trust_remote_code,
        freed=at_hand.freed(model.device),
        measure=at_hand.at_rest,
        check=at_hand.check,
    )
    return asdict(found)
