"""What is answered without a model, beside the job that runs: each in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..messages import Download, FitChoice, ForecastOf, Inspect, ModelChoice, Models, Preview, Request

if TYPE_CHECKING:
    from dct_tui.models.forecast import FitSize

__all__ = ["ASIDE", "SHOWN", "Aside", "aside"]

ASIDE = (Models, Inspect, ForecastOf, Preview, Download)
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
    if isinstance(request, Models):
        return {"models": _models(at_hand)}
    if isinstance(request, Inspect):
        from dct_tui.models.catalog import find_model
        from dct_tui.models.summary import summarise

        return {"model": asdict(summarise(find_model(request.name)))}
    if isinstance(request, Preview):
        return _preview(request)
    if isinstance(request, Download):
        return _download(request, at_hand)
    assert isinstance(request, ForecastOf)
    return _forecast(request, at_hand)


def _models(at_hand: Aside) -> list[dict[str, Any]]:
    from dct_tui.models.catalog import list_models
    from dct_tui.models.summary import summarise

    found = []
    for source in list_models():
        at_hand.check()
        found.append(asdict(summarise(source)))
    return found


def _download(request: Download, at_hand: Aside) -> dict[str, Any]:
    from dct_tui.models.download import download
    from dct_tui.models.summary import summarise

    def tell(file: str, done: int, of: int) -> None:
        at_hand.tell({"file": file, "done": done, "of": of})

    return asdict(summarise(download(request.name, request.revision, on_progress=tell, check=at_hand.check)))


def _preview(request: Preview) -> dict[str, Any]:
    from dct_tui.models.preview import preview

    seen = preview(
        request.model.name,
        request.prompts,
        request.system,
        request.target_positions,
        revision=request.model.revision,
        trust_remote_code=request.model.trust_remote_code,
    )
    return asdict(seen)


def _forecast(request: ForecastOf, at_hand: Aside) -> dict[str, Any]:
    from dct_tui.models.forecast import forecast

    model = request.model
    found = forecast(
        model.name,
        dtype=model.dtype,
        device=model.device,
        revision=model.revision,
        fit=None if request.fit is None else _size(model, request.fit),
        freed=at_hand.freed(model.device),
        measure=at_hand.at_rest,
    )
    return asdict(found)


def _size(model: ModelChoice, choice: FitChoice) -> FitSize:
    """How much there is to do in a fit. Raises DctError for one that cannot be made."""
    from dct_tui.models.catalog import find_model
    from dct_tui.models.forecast import FitSize
    from dct_tui.models.preview import reader_of
    from dct_tui.models.shape import read_shape
    from dct_tui.models.templating import as_messages, encode

    from .choices import fit_of

    source = find_model(model.name, model.revision)
    shape, reader = read_shape(source), reader_of(source, model.trust_remote_code)
    wanted = fit_of(choice)
    config = wanted.config(shape.width, 1.0)

    def lengths(prompts: tuple[str, ...]) -> list[int]:
        return [len(encode(reader, as_messages(prompt, wanted.prompts.system))) for prompt in prompts]

    fitted = lengths(wanted.prompts.fit)
    return FitSize(
        layers=wanted.layers(shape.depth),
        method=config.method,
        factors=config.factors,
        iterations=config.iterations,
        tokens=fitted,
        judged=lengths(wanted.prompts.validation) or fitted,
        calibrates=wanted.scale is None,
        row_batch=wanted.row_batch,
    )
