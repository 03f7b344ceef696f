"""Putting a fit together: settings, picture, cost, R, and the start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from dct_tui.engine.messages import CalibrateOn, ForecastOf, Inspect, Preview, StartFit
from dct_tui.errors import DctError
from dct_tui.screens.app import Workbench
from dct_tui.screens.dialogs import ChooseOne, Confirm, ErrorDialog
from dct_tui.screens.fit import FitScreen
from dct_tui.screens.layers import LayersScreen
from dct_tui.screens.layers_calibration import CalibrationScreen
from dct_tui.screens.prompts import PromptsScreen
from dct_tui.sessions import Session
from tests.screens.conftest import RECORD
from tests.screens.looking import screen_text
from tests.screens.planning import BUILTIN, FORECAST, LARGE, engine, until, workbench, write

FOUND = {
    "scale": 12.5,
    "kind": "solved",
    "curve": [[1.0, 0.01], [5.0, 0.2], [12.5, 0.5], [40.0, 1.5]],
    "reference": 50.0,
}
MakeSession = Callable[..., Session]


def layers(pilot: Pilot[None]) -> LayersScreen:
    assert isinstance(pilot.app.screen, LayersScreen)
    return pilot.app.screen


async def known(pilot: Pilot[None]) -> LayersScreen:
    """Once the model is known and the cost is said."""
    await until(
        pilot, lambda: isinstance(pilot.app.screen, LayersScreen) and layers(pilot).draft.model.depth is not None
    )
    await until(pilot, "Fitting takes")
    return layers(pilot)


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
    assert len(wish.fit.prompts) == 12 and len(wish.fit.validation or ()) == 12


async def test_the_slice_is_moved_on_the_picture(home: Path) -> None:
    async with workbench(engine()) as pilot:
        await pilot.press("b")
        screen = await known(pilot)
        before = screen_text(pilot.app).splitlines()[3]
        await pilot.press("right_square_bracket", "left_curly_bracket")
        assert screen.draft.layers is not None
        assert (screen.draft.layers.source, screen.draft.layers.target) == (4, 8)
        after = screen_text(pilot.app).splitlines()[3]
        assert before.count("█") > after.count("█")
        await pilot.press("j", "j", "left", "left", "left", "left", "left", "left")
        assert screen.draft.layers.source == 0
        assert "steered at what enters 0" in screen_text(pilot.app)


async def test_a_value_is_checked_as_it_is_typed(home: Path) -> None:
    async with workbench(engine()) as pilot:
        await pilot.press("b")
        screen = await known(pilot)
        await pilot.press(*"jjjjj", "enter")
        await write(pilot, "200")
        assert "✗ at most 128" in screen_text(pilot.app)
        await pilot.press("enter")
        assert screen.draft.values["factors"] == "64", "what is wrong is not taken"
        await pilot.press("escape")
        assert "✗" not in screen_text(pilot.app)
        await pilot.press("enter")
        await write(pilot, "64")
        await pilot.press("enter")
        assert screen.draft.values["factors"] == "64" and screen.form.has_focus
        await pilot.press("left", "left", "right")
        assert screen.draft.values["factors"] == "32"


async def test_letters_typed_into_a_value_are_no_commands(home: Path) -> None:
    async with workbench(engine()) as pilot:
        await pilot.press("b")
        screen = await known(pilot)
        await pilot.press("G", "enter")
        await write(pilot, "cpq-2")
        assert pilot.app.screen is screen
        await pilot.press("enter")
        assert screen.draft.values["session"] == "cpq-2"


async def test_every_setting_says_what_it_is_for(home: Path) -> None:
    async with workbench(engine(), (120, 40)) as pilot:
        await pilot.press("b")
        screen = await known(pilot)
        seen = set()
        for _ in screen.form.settings:
            said = screen.query_one("#layers-said")
            line = "".join(text for text, _ in said.lines[0])  # type: ignore[attr-defined]
            assert line, screen.form.at
            seen.add(line)
            await pilot.press("j")
        assert len(seen) == len(screen.form.settings)


async def test_choices_are_stepped_and_chosen(home: Path) -> None:
    async with workbench(engine()) as pilot:
        await pilot.press("b")
        screen = await known(pilot)
        assert screen.draft.preset == "quick look" and screen.draft.values["factors"] == "64"
        await pilot.press("left")
        assert screen.draft.preset == "standard" and screen.draft.values["factors"] == "128"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseOne))
        assert "what chance finds" in screen_text(pilot.app)
        await pilot.press("G", "enter")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert screen.draft.values["method"] == "random"
        await pilot.press(*"jjjj", "right")
        assert screen.draft.values["method"] == "exponential", "round it goes"


async def test_what_changes_is_reckoned_once_it_rests(home: Path) -> None:
    scripted = engine()
    async with workbench(scripted) as pilot:
        await pilot.press("b")
        await known(pilot)
        asked = len(scripted.asked(ForecastOf))
        await pilot.press("right_square_bracket", "right_square_bracket", "left_square_bracket")
        await until(pilot, lambda: len(scripted.asked(ForecastOf)) > asked)
        await until(pilot, "Fitting takes")
        assert len(scripted.asked(ForecastOf)) == asked + 1
        assert scripted.asked(ForecastOf)[-1].fit.source == 4


async def test_what_the_engine_refuses_is_said(home: Path) -> None:
    def refuse(request: ForecastOf, tell: object) -> dict[str, Any]:
        raise DctError("the chat template refuses these messages", "leave the system prompt away")

    async with workbench(engine({ForecastOf: refuse})) as pilot:
        await pilot.press("b")
        await until(pilot, "✗ the chat template refuses")
        assert not isinstance(pilot.app.screen, ErrorDialog)


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


async def test_pasted_lines_become_prompts(home: Path) -> None:
    async with workbench(engine()) as pilot:
        await pilot.press("n")
        await until(pilot, "70.6B")
        await pilot.press("G", "enter")
        await until(pilot, "none yet")
        pilot.app.post_message(events.Paste("first one\r\nsecond one\n\n  first one \n"))
        await until(pilot, lambda: isinstance(pilot.app.screen, PromptsScreen))
        await until(pilot, "second one")
        await pilot.press("q")
        await known(pilot)
        assert layers(pilot).draft.prompts.fit == ("first one", "second one")


# R


async def test_r_is_calibrated_drawn_and_kept(home: Path) -> None:
    scripted = engine({CalibrateOn: FOUND})
    async with workbench(scripted) as pilot:
        await pilot.press("b")
        screen = await known(pilot)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(pilot.app.screen, CalibrationScreen))
        text = await until(pilot, "λ=0.5")
        assert "R=12.5" in text and "25.0%" in text and "25% of the stream's median norm" in text
        await pilot.press("q")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert screen.draft.values["scale"] == "calibrated"
        await pilot.press("c")
        await until(pilot, lambda: isinstance(pilot.app.screen, CalibrationScreen))
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert screen.draft.fit_choice().scale == 12.5
        assert scripted.asked(CalibrateOn)[-1].fit.scale is None


async def test_r_by_hand_and_back(home: Path) -> None:
    async with workbench(engine()) as pilot:
        await pilot.press("b")
        screen = await known(pilot)
        screen.form.go_to_setting("scale")
        await pilot.press("enter")
        await write(pilot, "7.5")
        await pilot.press("enter")
        assert screen.draft.fit_choice().scale == 7.5
        await pilot.press("enter")
        await write(pilot, "cal")
        await pilot.press("enter")
        assert screen.draft.fit_choice().scale is None


# Duplicates


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


# What is beside


async def test_on_a_wide_screen_the_prompts_stand_beside_as_the_model_sees_them(home: Path) -> None:
    async with workbench(engine(), (120, 40)) as pilot:
        await pilot.press("b")
        await known(pilot)
        text = await until(pilot, "⟦<|user|>⟧")
        assert "«" in text and "│" in text


async def test_on_a_narrow_one_nobody_asks_for_what_is_not_shown(home: Path) -> None:
    scripted = engine()
    async with workbench(scripted) as pilot:
        await pilot.press("b")
        await known(pilot)
        assert scripted.asked(Preview) == []


async def test_an_idle_screen_repaints_nothing(home: Path) -> None:
    async with workbench(engine({Inspect: {"model": {**BUILTIN, "depth": LARGE["depth"]}}}), (120, 40)) as pilot:
        await pilot.press("b")
        screen = await known(pilot)
        await until(pilot, "⟦<|user|>⟧")
        await pilot.pause()
        before = [widget.lines for widget in screen.query("ChangingLines")]  # type: ignore[attr-defined]
        screen._beat()
        await pilot.pause()
        assert [widget.lines for widget in screen.query("ChangingLines")] == before  # type: ignore[attr-defined]
        assert not screen._dirty_widgets
