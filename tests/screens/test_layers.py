"""Putting a fit together: settings, picture and cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual import events

from dct_tui.engine.messages import ForecastOf, Inspect, Preview
from dct_tui.errors import DctError
from dct_tui.screens.dialogs import ChooseOne, ErrorDialog
from dct_tui.screens.prompts import PromptsScreen
from tests.screens.looking import screen_text
from tests.screens.planning import BUILTIN, LARGE, engine, known, layers, until, workbench, write


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


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_every_setting_says_what_it_is_for(home: Path, size: Any) -> None:
    async with workbench(engine(), size) as pilot:
        await pilot.press("b")
        screen = await known(pilot)
        seen = set()
        for _ in screen.form.settings:
            said = screen.query_one("#layers-said")
            lines = ["".join(text for text, _ in line) for line in said.lines]  # type: ignore[attr-defined]
            assert len(lines) <= said.content_size.height and all(
                len(line) <= said.content_size.width for line in lines
            )
            seen.add(lines[0])
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
