"""What is answered without a model, beside the job that runs: each in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from ..messages import Download, Inspect, Models, Request

__all__ = ["ASIDE", "SHOWN", "aside"]

ASIDE = (Models, Inspect)
SHOWN = (Download.do,)
"""Those that take long enough to be listed among the jobs."""

Tell = Callable[[dict[str, Any]], None]
Check = Callable[[], None]


def aside(request: Request, tell: Tell, check: Check) -> dict[str, Any]:
    """Answers a request. `check` raises Stop where it is to end.

    Raises:
        DctError: there is no such model, or nothing can be said of it.
    """
    if isinstance(request, Models):
        from dct_tui.models.catalog import list_models
        from dct_tui.models.summary import summarise

        return {"models": [asdict(summarise(source)) for source in list_models()]}
    assert isinstance(request, Inspect)
    from dct_tui.models.catalog import find_model
    from dct_tui.models.summary import summarise

    return {"model": asdict(summarise(find_model(request.name)))}
