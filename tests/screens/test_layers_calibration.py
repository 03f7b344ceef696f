"""R: found and drawn, kept or left, warned of, or set by hand."""

from __future__ import annotations

from pathlib import Path

from dct_tui.engine.messages import CalibrateOn
from dct_tui.screens.layers_calibration import CalibrationScreen
from tests.screens.planning import engine, known, until, workbench, write

FOUND = {
    "scale": 12.5,
    "kind": "solved",
    "curve": [[1.0, 0.01], [5.0, 0.2], [12.5, 0.5], [40.0, 1.5]],
    "reference": 50.0,
}


async def test_r_is_calibrated_drawn_and_kept(home: Path) -> None:
    scripted = engine({CalibrateOn: FOUND})
    async with workbench(scripted) as pilot:
        await pilot.press("b")
        screen = await known(pilot)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(pilot.app.screen, CalibrationScreen))
        text = await until(pilot, "λ=0.5")
        assert "enter fits at this R" in text, "all of it is seen"
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


async def test_an_r_that_is_too_large_is_warned_of_before_it_is_kept(home: Path) -> None:
    async with workbench(engine({CalibrateOn: {**FOUND, "reference": 20.0}})) as pilot:
        await pilot.press("b")
        await known(pilot)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(pilot.app.screen, CalibrationScreen))
        text = await until(pilot, "λ=0.5")
        assert "! above 45% of that norm models mostly break" in text and "such as 6" in text
        assert "enter fits at this R" in text, "all of it is seen"
