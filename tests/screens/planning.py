"""A workbench on a scripted engine, for the screens on which a fit is put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from dct_tui.engine.messages import ForecastOf, Inspect, Models, Preview
from dct_tui.screens.app import Workbench
from dct_tui.screens.layers import LayersScreen
from tests.engine.scripted import ScriptedEngine
from tests.screens.looking import screen_text

BUILTIN = {
    "name": "builtin", "folder": "/b", "commit": None, "model_type": "qwen3", "architecture": "Qwen3ForCausalLM",
    "depth": 10, "width": 128, "dtype": "bfloat16", "bytes": 4_400_000, "chat_template": True, "problem": "",
    "title": "builtin", "parameters": 2_193_024, "dtypes": ["bfloat16"], "context": 512, "vocabulary": 467, "heads": 4,
    "kv_heads": 4, "quantised": None, "modified": 1.7e9,
}  # fmt: skip
LARGE = {
    **BUILTIN, "name": "someone/Large-70B", "folder": "/cache/large", "model_type": "llama", "depth": 80, "width": 8192,
    "bytes": 140_000_000_000, "parameters": 70_600_000_000, "title": "Large-70B",
}  # fmt: skip
BROKEN = {**BUILTIN, "name": "/work/broken", "folder": "/work/broken", "problem": "no safetensors weights"}
FORECAST = {
    "device": "cpu", "load_bytes": 9_000_000, "fit_bytes": 345_000_000, "available_bytes": 20_000_000_000,
    "seconds": 55.0, "fits": True, "notes": [],
}  # fmt: skip
Until = Callable[[str], Any]


def preview_of(request: Preview, tell: object) -> dict[str, Any]:
    """A tokenizer of words, with a template that says who speaks."""
    shown = []
    for prompt in request.prompts:
        tokens = ["<|user|>", *prompt.split(), "<end>"]
        shown.append({"tokens": tokens, "special": [0, len(tokens) - 1], "targets": request.target_positions})
    return {"template": True, "prompts": shown}


def forecast_of(request: ForecastOf, tell: object) -> dict[str, Any]:
    """Opening it, and with a fit that."""
    return FORECAST if request.fit is not None else {**FORECAST, "fit_bytes": None, "seconds": None}


def engine(handlers: Mapping[type, Any] | None = None) -> ScriptedEngine:
    """An engine that knows three models, and answers what is asked before a fit."""
    models = {model["name"]: model for model in (BUILTIN, LARGE, BROKEN)}

    def inspect(request: Inspect, tell: object) -> dict[str, Any]:
        from dct_tui.errors import DctError

        if request.name not in models:
            raise DctError(f"there is no model {request.name}", "check the name")
        return {"model": models[request.name]}

    usual: dict[type, Any] = {
        Models: {"models": [BUILTIN, LARGE, BROKEN]},
        Inspect: inspect,
        ForecastOf: forecast_of,
        Preview: preview_of,
    }
    return ScriptedEngine({**usual, **(handlers or {})})


@asynccontextmanager
async def workbench(scripted: ScriptedEngine, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Pilot[None]]:
    """The workbench at home."""

    async def engine_for(model: str | None) -> ScriptedEngine:
        return scripted

    app = Workbench(engine_for)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield pilot


async def until(pilot: Pilot[None], seen: str | Callable[[], bool]) -> str:
    """Waits until the screen shows a text, or something is so; gives the screen."""
    async with asyncio.timeout(10):
        while not (seen in screen_text(pilot.app) if isinstance(seen, str) else seen()):
            await pilot.pause(0.02)
    return screen_text(pilot.app)


def layers(pilot: Pilot[None]) -> LayersScreen:
    """The screen in front, which is the one of the settings."""
    assert isinstance(pilot.app.screen, LayersScreen)
    return pilot.app.screen


async def known(pilot: Pilot[None]) -> LayersScreen:
    """Once the model is known and the cost is said."""
    await until(
        pilot, lambda: isinstance(pilot.app.screen, LayersScreen) and layers(pilot).draft.model.depth is not None
    )
    await until(pilot, "Fitting takes")
    return layers(pilot)


async def write(pilot: Pilot[None], text: str) -> None:
    """Types into what has the focus."""
    names = {"/": "slash", " ": "space", ".": "full_stop", "-": "minus", "_": "underscore", "!": "exclamation_mark"}
    await pilot.press(*(names.get(char, char) for char in text))
