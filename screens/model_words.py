"""All that is known of a model before it is loaded, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dct_tui.inert import one_line

from .layers_words import cost_words
from .model_lines import ModelLine, count, size
from .widgets.changing_lines import Line


def model_lines(model: ModelLine, forecast: Mapping[str, Any] | str | None, width: int) -> list[Line]:
    """The lines about a model.

    Args:
        forecast: of opening it; words where there is none, None where it is still awaited.
    """
    facts = [
        f"{model.depth} blocks × {model.width}" if model.depth and model.width else "",
        f"{count(model.parameters)} parameters" if model.parameters else "",
        f"{model.heads} heads" + (f" ({model.kv_heads} of keys)" if model.kv_heads not in (None, model.heads) else "")
        if model.heads
        else "",
        f"vocabulary {model.vocabulary:,}" if model.vocabulary else "",
        f"context {model.context:,}" if model.context else "",
    ]
    files = [
        model.dtype or "",
        model.quantised or "",
        size(model.bytes) if model.bytes else "",
        "chat template" if model.chat_template else "no chat template: prompts are run as they are",
        f"changed {datetime.fromtimestamp(model.modified):%Y-%m-%d}" if model.modified else "",
    ]
    lines: list[Line] = [
        [(one_line(model.name, width), "bold")],
        *_wrap([model.architecture or model.model_type or "", *facts], width),
        *_wrap(files, width),
        [(one_line(model.folder, width), "dim")],
    ]
    if model.problem:
        return [*lines, [(one_line(f"✗ it cannot be opened: {model.problem}", width), "bad")]]
    if forecast is None:
        return [*lines, [("reckoning what it takes…", "dim")]]
    words = forecast if isinstance(forecast, str) else cost_words(forecast)
    fits = isinstance(forecast, str) or bool(forecast.get("fits", True))
    return [*lines, *([(piece, "" if fits else "bad")] for piece in words_wrapped(words, width))]


def words_wrapped(text: str, width: int) -> list[str]:
    """Inert text in lines, broken between words."""
    import textwrap

    return textwrap.wrap(one_line(text, 1000), max(10, width)) or [""]


def _wrap(parts: list[str], width: int) -> list[Line]:
    line = " · ".join(one_line(part, 60) for part in parts if part)
    return [[(piece, "")] for piece in words_wrapped(line, width)]
