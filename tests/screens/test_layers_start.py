"""From the settings of a fit to the fit: what is asked before, what is refused, and what a duplicate begins with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dct_tui.engine.messages import ForecastOf, StartFit
from dct_tui.errors import DctError
from dct_tui.screens.app import Workbench
from dct_tui.screens.dialogs import Confirm, ErrorDialog
from dct_tui.screens.fit import FitScreen
from dct_tui.screens.layers import LayersScreen
from tests.screens.conftest import RECORD, MakeSession
from tests.screens.looking import screen_text
from tests.screens.planning import FORECAST, engine, known, layers, until, workbench


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_the_built_in_model_is_one_key_from_a_fit(home: Path, make_session: MakeSession, size: Any) -> None:
    made = make_session("begun")

    def fit(request: StartFit, tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        tell({"stage": "weights", "done": 1, "of": 2})
        tell({"session": str(made.path)})
        return {"session": str(made.path)}

    scripted = engine({StartFit: fit})
    async with workbench(scripted, size) as pilot:
        await pilot.press("b")
        await known(pilot)
        text = screen_text(pilot.app)
        assert "about 55 s" in text and "ctrl+g start" in text and "12 to fit on" in text
        assert "steered at what enters 3" in text
        assert all(len(line) == size[0] for line in text.splitlines())
        await pilot.press("ctrl+g")
        await until(pilot, lambda: isinstance(pilot.app.screen, FitScreen))
        app = pilot.app
        assert isinstance(app, Workbench) and app.workspace is not None and app.workspace.path == made.path
        await pilot.press("1")
        await pilot.pause()
        assert len(app.screen_stack) == 1, "what the fit was put together on is left"
    (wish,) = scripted.asked(StartFit)
    assert wish.model.name == "builtin" and wish.session is None
    assert (wish.fit.source, wish.fit.target, wish.fit.factors, wish.fit.scale) == (3, 9, 64, None)
    assert wish.expected == FORECAST["seconds"]
    assert len(wish.fit.prompts) == 12 and len(wish.fit.validation or ()) == 12


@pytest.mark.parametrize("forecast", [{"fits": False, "notes": ["does not fit"]}, {"seconds": 7200.0}])
async def test_what_is_costly_is_asked_first(home: Path, forecast: dict[str, Any]) -> None:
    scripted = engine({ForecastOf: {**FORECAST, **forecast}, StartFit: {"session": "/x"}})
    async with workbench(scripted) as pilot:
        await pilot.press("b")
        await known(pilot)
        await pilot.press("ctrl+g")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await pilot.press("n")
        await pilot.pause()
        assert scripted.asked(StartFit) == [] and isinstance(pilot.app.screen, LayersScreen)


async def test_a_start_can_be_stopped_before_the_session_is_there(home: Path) -> None:
    async def slow(request: StartFit, tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        tell({"stage": "weights", "done": 1, "of": 4})
        await asyncio.Event().wait()
        return {}

    scripted = engine({StartFit: slow})
    async with workbench(scripted) as pilot:
        await pilot.press("b")
        screen = await known(pilot)
        await pilot.press("ctrl+g")
        await until(pilot, "25%")
        await pilot.press("x")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert scripted.cancelled == scripted.asked(StartFit)


async def test_a_start_that_fails_says_why_and_loses_nothing(home: Path) -> None:
    def fail(request: StartFit, tell: object) -> dict[str, Any]:
        raise DctError("there is no room on the device", "try bf16")

    async with workbench(engine({StartFit: fail})) as pilot:
        await pilot.press("b")
        screen = await known(pilot)
        await pilot.press("left", "ctrl+g")
        await until(pilot, "there is no room on the device")
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert screen.draft.preset == "standard"


async def test_without_prompts_it_goes_to_them_and_starts_nothing(home: Path) -> None:
    scripted = engine()
    async with workbench(scripted) as pilot:
        await pilot.press("n")
        await until(pilot, "70.6B")
        await pilot.press("G", "enter")
        await until(pilot, "✗ prompts: none yet")
        await pilot.press("ctrl+g")
        await until(pilot, lambda: isinstance(pilot.app.screen, ErrorDialog))
        await pilot.press("enter")
        assert layers(pilot).form.at is not None and layers(pilot).form.at.name == "prompts"  # type: ignore[union-attr]
        assert scripted.asked(StartFit) == []
        assert "80 blocks × 8192" in screen_text(pilot.app)


async def test_a_duplicate_begins_with_the_settings_of_its_session(home: Path, make_session: MakeSession) -> None:
    fit = replace(RECORD.fit, factors=5, seed=9, scale=2.5)
    make_session("one", fit=fit, model=replace(RECORD.model, spec="builtin", depth=10, width=128))
    async with workbench(engine()) as pilot:
        await until(pilot, "one")
        await pilot.press("d")
        screen = await known(pilot)
        assert screen.draft.prompts.fit == ("one", "two")
        assert {name: screen.draft.values[name] for name in ("source", "target", "factors", "seed", "scale")} == {
            "source": "2", "target": "5", "factors": "5", "seed": "9", "scale": "2.5",
        }  # fmt: skip


async def test_a_model_that_is_gone_is_said(home: Path, make_session: MakeSession) -> None:
    make_session("one", model=replace(RECORD.model, spec="/work/gone"))
    async with workbench(engine()) as pilot:
        await until(pilot, "one")
        await pilot.press("d")
        await until(pilot, "there is no model /work/gone")
