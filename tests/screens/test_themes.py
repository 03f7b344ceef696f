"""Themes: every text can be read on every ground, in 256 colours too; an unknown one gives way."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from rich.terminal_theme import DEFAULT_TERMINAL_THEME
from textual.color import Color

from dct_tui.screens.app import Workbench
from dct_tui.screens.config import Config, read_state
from dct_tui.screens.themes import DESCRIPTIONS, TERMINAL_THEME, THEMES
from tests.screens.looking import screen_text

TEXTS = [
    "foreground", "text", "text-muted", "text-disabled", "text-primary", "text-accent", "text-success", "text-warning",
    "text-error", "primary",
]  # fmt: skip
GROUNDS = ["background", "surface", "primary-muted", "surface-lighten-1"]
COLOURED = [name for name in THEMES if name != TERMINAL_THEME]


def luminance(triplet: tuple[int, int, int]) -> float:
    """Relative luminance by WCAG 2."""
    parts = [value / 255 for value in triplet]
    r, g, b = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def in_256(triplet: tuple[int, int, int]) -> tuple[int, int, int]:
    """As a terminal of 256 colours is told it."""
    few = RichColor.from_rgb(*triplet).downgrade(ColorSystem.EIGHT_BIT)
    return tuple(few.get_truecolor(DEFAULT_TERMINAL_THEME))  # type: ignore[return-value]


@pytest.mark.parametrize("name", COLOURED)
def test_every_text_can_be_read_on_every_ground(name: str) -> None:
    variables = {**THEMES[name].to_color_system().generate(), **THEMES[name].variables}
    colours = {use: Color.parse(variables[use]).rgb for use in TEXTS + GROUNDS}
    for text, ground in product(TEXTS, GROUNDS):
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        assert contrast(in_256(colours[text]), in_256(colours[ground])) >= 4.5, (text, ground, "256 colours")


@pytest.mark.parametrize("name", COLOURED)
def test_good_and_bad_differ_in_lightness_or_hue_for_all_eyes(name: str) -> None:
    """Seen without the red-green, and without the blue-yellow opponent channel."""
    variables = THEMES[name].variables
    good, bad = (Color.parse(variables[f"text-{use}"]).rgb for use in ("success", "error"))
    red_green = abs((good[0] + good[1]) / 2 - (bad[0] + bad[1]) / 2) + abs(good[2] - bad[2])
    blue_yellow = abs(good[0] - bad[0])
    if name == "blue-orange":
        assert red_green > 100
    if name == "red-teal":
        assert blue_yellow > 100
    assert good != bad


@pytest.mark.parametrize("name", THEMES)
async def test_every_theme_paints(home: Path, name: str) -> None:
    app = Workbench(theme=name)
    async with app.run_test(size=(80, 24)):
        assert app.theme == name and "Welcome" in screen_text(app)
    assert set(DESCRIPTIONS) == set(THEMES)


async def test_an_unknown_theme_gives_way_with_a_word(home: Path) -> None:
    app = Workbench(config=Config(theme="[red]mauve"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.theme == "dark"
        assert [notice.message for notice in app._notifications] == [
            "there is no theme '[red]mauve'; there are dark, light, blue-orange, red-teal, terminal"
        ]


async def test_a_theme_that_was_chosen_is_remembered(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p", *"theme light", "enter")
        await pilot.pause()
        assert app.theme == "light"
    assert read_state() == {"theme": "light"}
    assert Workbench().theme == "light"
    assert Workbench(config=Config(theme="red-teal")).theme == "red-teal", "what is set counts before it"
    assert Workbench(config=Config(theme="red-teal"), theme="dark").theme == "dark", "and what is asked for before that"


def test_without_colour_there_is_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert Workbench(theme="light").theme == TERMINAL_THEME
