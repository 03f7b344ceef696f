"""dct-tui: finds hidden behaviours in language models by Deep Causal Transcoding.

The names of the Python interface are loaded when they are first used: importing the package is cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import chat, export_features, fit, open_model, sample
    from .sessions import Session

__all__ = ["Session", "chat", "export_features", "fit", "open_model", "sample"]


def __getattr__(name: str) -> Any:
    if name == "Session":
        return import_module(".sessions", __name__).Session
    if name in __all__:
        return getattr(import_module(".api", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
