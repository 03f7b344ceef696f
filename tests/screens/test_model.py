"""The model screen: what is there, what it would take, and fetching, opening and stopping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from dct_tui.engine.messages import Download, ForecastOf, Inspect, Load, Models
from dct_tui.errors import DctError
from dct_tui.screens.dialogs import Confirm, ErrorDialog
from dct_tui.screens.layers import LayersScreen
from dct_tui.screens.model import ModelScreen
from dct_tui.screens.model_typed import ModelSuggester, TypeModel
from dct_tui.screens.model_work import WorkDialog
from dct_tui.screens.widgets.model_list import ModelList
from tests.screens.looking import screen_text
from tests.screens.planning import BUILTIN, FORECAST, LARGE, engine, until, workbench, write


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_models_are_listed_with_what_is_known(home: Path, size: tuple[int, int]) -> None:
    async with workbench(engine(), size) as pilot:
        await pilot.press("n")
        text = await until(pilot, "70.6B")
        assert "builtin" in text and "140.0 GB" in text and "✗ no safetensors weights" in text
        text = await until(pilot, "Opening it takes about")
        assert "10 blocks × 128" in text and "context 512" in text
        assert all(len(line) == size[0] for line in text.splitlines())


async def test_a_forecast_is_asked_once_where_the_cursor_rests(home: Path) -> None:
    scripted = engine()
    async with workbench(scripted) as pilot:
        await pilot.press("n")
        await until(pilot, "Opening it takes about")
        await pilot.press("G", "k", "k", "G")
        await until(pilot, lambda: len(scripted.asked(ForecastOf)) == 2)
        await pilot.press("g")
        await until(pilot, "Opening it takes about")
        names = [request.model.name for request in scripted.asked(ForecastOf)]
        assert sorted(names) == ["builtin", "someone/Large-70B"] and len(set(names)) == 2


async def test_what_does_not_fit_is_said(home: Path) -> None:
    handlers = {ForecastOf: {**FORECAST, "fit_bytes": None, "seconds": None, "fits": False, "notes": ["no room"]}}
    async with workbench(engine(handlers)) as pilot:
        await pilot.press("n")
        assert "no room" in await until(pilot, "Opening it takes about 9.0 MB")


async def test_a_filter_narrows_and_lets_go(home: Path) -> None:
    async with workbench(engine()) as pilot:
        await pilot.press("n")
        await until(pilot, "70.6B")
        await pilot.press("slash")
        await write(pilot, "llama")
        shown = pilot.app.screen.query_one(ModelList)
        assert [model.name for model in shown.shown] == ["someone/Large-70B"]
        await pilot.press("enter")
        assert shown.has_focus
        await pilot.press("escape")
        assert len(shown.shown) == 3


async def test_models_of_sessions_are_there_too(home: Path, make_session: Callable[..., Any]) -> None:
    from dataclasses import replace

    from tests.screens.conftest import RECORD

    make_session("one", model=replace(RECORD.model, spec="/work/tuned"))
    scripted = engine({Inspect: lambda request, tell: {"model": {**BUILTIN, "name": request.name}}})
    async with workbench(scripted) as pilot:
        await pilot.press("n")
        await until(pilot, "/work/tuned")
        assert [request.name for request in scripted.asked(Inspect)] == ["/work/tuned"]


async def test_enter_goes_on_to_the_layers_but_not_with_a_broken_model(home: Path) -> None:
    async with workbench(engine()) as pilot:
        await pilot.press("n")
        await until(pilot, "70.6B")
        await pilot.press("j", "enter")
        assert isinstance(pilot.app.screen, ErrorDialog) and "no safetensors weights" in screen_text(pilot.app)
        await pilot.press("enter", "j", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, LayersScreen)
        assert pilot.app.screen.draft.model.name == "someone/Large-70B"
        await pilot.press("q")
        assert isinstance(pilot.app.screen, ModelScreen)


# Typing


async def test_a_typed_name_that_is_here_is_taken(home: Path) -> None:
    async with workbench(engine()) as pilot:
        await pilot.press("n")
        await until(pilot, "70.6B")
        await pilot.press("o")
        await write(pilot, "someone/L")
        field = pilot.app.screen.query_one(Input)
        await until(pilot, lambda: bool(field._suggestion))
        await pilot.press("tab")
        assert field.value == "someone/Large-70B"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, LayersScreen))


async def test_ids_and_paths_are_completed(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    suggester = ModelSuggester(["Qwen/Qwen3-8B", "builtin"])
    assert await suggester.get_suggestion("qwen/q") == "qwen/qwen3-8B"[:6] + "Qwen/Qwen3-8B"[6:]
    assert await suggester.get_suggestion(f"{tmp_path}/mo") == f"{tmp_path}/models/"
    assert await suggester.get_suggestion("") is None
    assert await suggester.get_suggestion("builtin") is None


async def test_a_path_that_is_not_there_is_an_error_and_no_download(home: Path) -> None:
    async with workbench(engine()) as pilot:
        await pilot.press("n", "o")
        await pilot.pause()
        assert isinstance(pilot.app.screen, TypeModel)
        await write(pilot, "/nowhere/at/all")
        await pilot.press("enter")
        await until(pilot, "there is no model /nowhere/at/all")
        assert isinstance(pilot.app.screen, ErrorDialog)
        await pilot.press("enter", "o")
        await pilot.pause()
        assert pilot.app.screen.query_one(Input).value == "/nowhere/at/all", "a slip can be mended"


async def ask_for(pilot: Any, name: str) -> None:
    await pilot.press("n", "o")
    await pilot.pause()
    await write(pilot, name)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))


async def test_what_is_not_here_is_fetched_if_wished(home: Path) -> None:
    gate = asyncio.Event()

    async def download(request: Download, tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        tell({"file": "model.safetensors", "done": 250_000_000, "of": 1_000_000_000})
        await gate.wait()
        return {**BUILTIN, "name": request.name}

    async with workbench(engine({Download: download})) as pilot:
        await ask_for(pilot, "owner/new")
        await pilot.press("y")
        assert "250.0 MB of 1.0 GB" in await until(pilot, "25%")
        gate.set()
        await until(pilot, lambda: isinstance(pilot.app.screen, LayersScreen))
        assert pilot.app.screen.draft.model.name == "owner/new"  # type: ignore[attr-defined]


@pytest.mark.parametrize("key", ["x", "escape"])
async def test_fetching_is_stopped_and_can_be_gone_on_with(home: Path, key: str) -> None:
    async def download(request: Download, tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        tell({"file": "model.safetensors", "done": 1, "of": 4})
        await asyncio.Event().wait()
        return {}

    scripted = engine({Download: download})
    async with workbench(scripted) as pilot:
        await ask_for(pilot, "owner/new")
        await pilot.press("y")
        await until(pilot, "25%")
        await pilot.press(key)
        await until(pilot, lambda: isinstance(pilot.app.screen, ModelScreen))
        assert scripted.cancelled == scripted.asked(Download)
        await pilot.press("o")
        await pilot.pause()
        await write(pilot, "owner/new")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))


async def test_a_refusal_of_the_hub_is_shown(home: Path) -> None:
    def gated(request: Download, tell: object) -> dict[str, Any]:
        raise DctError("owner/new is gated", "accept the licence at its page")

    async with workbench(engine({Download: gated})) as pilot:
        await ask_for(pilot, "owner/new")
        await pilot.press("y")
        assert "accept the licence" in await until(pilot, "owner/new is gated")


async def test_left_alone_nothing_is_fetched(home: Path) -> None:
    scripted = engine()
    async with workbench(scripted) as pilot:
        await ask_for(pilot, "owner/new")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(pilot.app.screen, ModelScreen))
        assert scripted.asked(Download) == []


# Opening


async def test_opening_shows_how_far_it_is_and_can_be_stopped(home: Path) -> None:
    async def load(request: Load, tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        tell({"stage": "weights", "done": 40, "of": 100})
        await asyncio.Event().wait()
        return {}

    scripted = engine({Load: load})
    async with workbench(scripted) as pilot:
        await pilot.press("n", "l")
        text = await until(pilot, "40%")
        assert "reading its weights, 40 of 100" in text and isinstance(pilot.app.screen, WorkDialog)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(pilot.app.screen, ModelScreen))
        assert scripted.cancelled == scripted.asked(Load)


async def test_an_engine_that_ends_is_told_once(home: Path) -> None:
    scripted = engine()

    def die(request: Models, tell: object) -> dict[str, Any]:
        scripted.die()
        return {}

    scripted.handlers[Models] = die
    async with workbench(scripted) as pilot:
        await pilot.press("n")
        await until(pilot, "the engine has ended")
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, ModelScreen)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_hostile_names_stay_text(home: Path, size: tuple[int, int]) -> None:
    hostile = [BUILTIN]
    for name in ("[b]x[/b]", "\x1b[31mred", "日本" * 60, "[@click=app.quit]x[/]"):
        odd = {**LARGE, "name": name, "model_type": name, "architecture": name, "folder": name, "dtype": name}
        hostile += [odd, {**odd, "name": name + "2", "problem": name}]
    async with workbench(engine({Models: {"models": hostile}}), size) as pilot:
        await pilot.press("n")
        await until(pilot, lambda: len(pilot.app.screen.query_one(ModelList).shown) == len(hostile))
        for _ in hostile:
            await pilot.press("j")
            text = screen_text(pilot.app)
            assert "\x1b" not in text and len(text.splitlines()) == size[1]
