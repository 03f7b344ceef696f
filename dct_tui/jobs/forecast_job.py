"""What a request for a fit would take, before its model is loaded: only its tokenizer is opened."""

from __future__ import annotations

from collections.abc import Callable

from ..models.catalog import find_model
from ..models.forecast import FitSize, Forecast, forecast
from ..models.preview import reader_of
from ..models.shape import read_shape
from ..models.templating import as_messages, encode
from .request import FitRequest


def forecast_request(
    name: str,
    request: FitRequest | None = None,
    *,
    dtype: str = "auto",
    device: str | None = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
    freed: int = 0,
    measure: bool = True,
    check: Callable[[], None] = lambda: None,
) -> Forecast:
    """Forecasts opening a model, and with `request` fitting it.

    Args:
        freed: bytes of the device that will be free by then, such as those of a model that is let go.
        check: called before every prompt; what it raises ends the forecast.
        measure: whether the device's speed may be measured now: about a second, and wrong while the device is at work.

    Raises:
        DctError: no such model, files that do not tell enough, or settings and prompts that cannot be fitted.
    """
    size = None
    if request is not None:
        request.check()
        source = find_model(name, revision)
        shape, reader = read_shape(source), reader_of(source, trust_remote_code)
        system = request.prompts.system

        def length(prompt: str) -> int:
            check()
            return len(encode(reader, as_messages(prompt, system)))

        fitted, judged = (
            [length(prompt) for prompt in prompts]
            for prompts in (request.prompts.fit, request.prompts.validation or request.prompts.fit)
        )
        size = FitSize(
            layers=request.layers(shape.depth),
            method=request.method,
            factors=request.config(shape.width, request.scale or 1.0).factors,
            iterations=request.iterations,
            tokens=fitted,
            judged=judged,
            calibrates=request.scale is None,
            row_batch=request.row_batch,
        )
    return forecast(name, dtype=dtype, device=device, revision=revision, fit=size, freed=freed, measure=measure)
