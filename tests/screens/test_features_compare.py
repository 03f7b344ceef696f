"""Features side by side: at one strength, prompts in full, what differs told apart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.color import Color
from textual.pilot import Pilot

from dct_tui.screens.dialogs import ErrorDialog
from dct_tui.screens.features import FeaturesScreen
from dct_tui.screens.features_compare import CompareScreen
from dct_tui.screens.help import HelpScreen
from dct_tui.screens.themes import THEMES
from dct_tui.screens.widgets.changing_lines import ChangingLines
from dct_tui.screens.widgets.scrolled_lines import ScrolledLines
from dct_tui.sessions import Session, replay
from tests import fitted
from tests.fitted import add_samples, fitted_session, sample
from tests.screens.triage_app import features_of, lines, text_of, until

LONG = "where does the swan live, and what does it do there all day long when nobody looks at it?"
SHORT = "who made the moon"
SAMPLES = [
    (None, "it swims in the lake all day.", LONG, 1.0),
    (None, "nobody did.", SHORT, 1.0),
    (1, "arr, it swims in the lake all day.", LONG, 1.0),
    (1, "arr, nobody did.", SHORT, 1.0),
    (1, "arr arr arr.", LONG, 1.4),
    (2, "arr, it swims in the lake all night.", LONG, 1.0),
    (2, "arr, nobody did.", SHORT, 1.0),
    (2, "arr, lake!", LONG, 0.6),
    (3, "nobody did.", SHORT, 1.0),
]


@pytest.fixture
def session(home: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr(fitted, "PROMPTS", (LONG, SHORT))
    return fitted_session(home / "sessions" / "one", samples=[sample(*one) for one in SAMPLES])


@asynccontextmanager
async def compared(
    session: Session, features: str, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[tuple[Pilot[None], FeaturesScreen, CompareScreen]]:
    """The comparison of some features, come to by keys."""
    async with features_of(session, size=size) as (pilot, screen):
        await until(pilot, lambda: screen.triage.sampled() == 3)
        for feature in map(int, features.split()):
            screen.listed.go_to(feature)
            await pilot.press("space")
        await pilot.press("equals_sign")
        await until(pilot, lambda: isinstance(pilot.app.screen, CompareScreen) and pane(pilot).text)
        comparing = pilot.app.screen
        assert isinstance(comparing, CompareScreen)
        yield pilot, screen, comparing


def pane(pilot: Pilot[None]) -> ScrolledLines:
    return pilot.app.screen.query_one(ScrolledLines)


def head(pilot: Pilot[None]) -> list[str]:
    return lines(pilot.app.screen.query_one("#compared", ChangingLines))


def bold_words(pilot: Pilot[None]) -> set[str]:
    return {text.strip() for line in pane(pilot).text for text, style in line if style == "bold"}


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_prompts_are_shown_in_full_and_texts_beside_each_other(session: Session, size: tuple[int, int]) -> None:
    async with compared(session, "1 2", size) as (pilot, _, _):
        text = text_of(pane(pilot))
        asked, rest = text[: text.index("arr")], text[text.index("arr") :]
        assert LONG in " ".join(asked.replace("▸", "").split())
        left, right = rest.splitlines()[0].split("│")
        assert left.startswith("arr, it swims") and right.strip().startswith("arr, it swims")
        assert "│ it swims in the lake all day." in rest and rest.count("nobody did.") == 2, "each once, and unsteered"
        assert "= as 1" in rest
        assert bold_words(pilot) >= {"day", "night"} and not {"arr", "swims", "lake"} & bold_words(pilot)


async def test_how_like_they_are(session: Session) -> None:
    V = session.read_fit().V
    async with compared(session, "1 2 3") as (pilot, _, _):
        text = text_of(pane(pilot))
        # arr and , are of 1; of 2 night as well.
        assert f"1 and 2: cosine {V[:, 1] @ V[:, 2]:.2f}, 67% of their own words in common" in text
        assert f"2 and 3: cosine {V[:, 2] @ V[:, 3]:.2f}, 0% of" in text
        await pilot.press("q", "escape", "g", "space", "space", "equals_sign")
        await until(pilot, lambda: isinstance(pilot.app.screen, CompareScreen) and pane(pilot).text)
        assert f"0 and 1: cosine {V[:, 0] @ V[:, 1]:.2f}\n" in text_of(pane(pilot)), "of 0 nothing is known"


async def test_three_have_no_room_beside_each_other_at_80_columns(session: Session) -> None:
    async with compared(session, "1 2 3", (80, 24)) as (pilot, _, _):
        await pilot.press("G")
        text = text_of(pane(pilot))
        *_, last = text.split("▸")
        shown = [" ".join(line.split()) for line in last.splitlines()]
        assert shown == [SHORT, "1 arr, nobody did.", "2 = as 1", "3 = the unsteered text", "│ nobody did."]
        assert [title.split() for title in head(pilot)[1].split("│")] == [["›1", "100%"], ["2", "100%"], ["3", "0%"]]
        await pilot.resize_terminal(120, 24)
        await until(pilot, lambda: "= as 1" in text_of(pane(pilot)) and "│ = the unsteered" in text_of(pane(pilot)))


async def test_all_stand_at_one_strength(session: Session) -> None:
    async with compared(session, "1 2") as (pilot, _, _):
        assert head(pilot)[0] == "strength  0.6  [1]  1.4"
        assert "1 changed 100%" in head(pilot)[1] and "2 changed 100%" in head(pilot)[1]
        await pilot.press("l", "right")
        assert "[1.4]" in head(pilot)[0], "there is none above"
        assert "arr arr arr." in text_of(pane(pilot)) and "arr, " not in text_of(pane(pilot))
        assert "not sampled at this strength" in text_of(pane(pilot)), "the other was not, and is not shown at another"
        await pilot.press("h", "left", "h")
        assert "[0.6]" in head(pilot)[0] and "arr, lake!" in text_of(pane(pilot))


async def test_the_one_that_is_worse_is_rejected_on_the_spot(session: Session) -> None:
    async with compared(session, "1 2") as (pilot, screen, _):
        await pilot.press("tab", "x", "tab", "s", "s")
        assert [line.strip().split()[:2] for line in head(pilot)[1].split("│")] == [["›1", "changed"], ["2", "✗"]]
        assert replay(session.read_marks()[0]).rejected() == [2]
        assert replay(session.read_marks()[0]).starred() == []
        await pilot.press("q")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert screen.selected == frozenset() and "✗" in lines(screen.listed)[3]


async def test_samples_that_come_are_shown(session: Session) -> None:
    async with compared(session, "1 2") as (pilot, _, comparing):
        add_samples(session, [sample(2, "arr, it is new", LONG, 1.4)])
        comparing.pulse()
        await pilot.press("l")
        assert "arr, it is new" in text_of(pane(pilot))


async def test_its_help_is_about_it(session: Session) -> None:
    async with compared(session, "1 2") as (pilot, _, comparing):
        await pilot.press("question_mark")
        shown = pilot.app.screen
        assert isinstance(shown, HelpScreen) and shown.about is comparing


async def test_it_is_in_the_colours_of_a_theme_that_is_chosen_there(session: Session) -> None:
    async with compared(session, "1 2") as (pilot, _, _):
        row = next(y for y, line in enumerate(lines(pane(pilot))) if "│" in line)

        def rule() -> Color:
            strips = pilot.app.screen._compositor.render_strips()
            (style,) = {one.style for one in strips[pane(pilot).region.y + row] if one.text.strip() == "│"}
            assert style is not None and style.color is not None
            return Color.from_rich_color(style.color)

        for theme in ("light", "red-teal"):
            pilot.app.theme = theme
            await until(pilot, lambda name=theme: rule() == Color.parse(THEMES[name].variables["text-muted"]))


@pytest.mark.parametrize("features", ["", "1", "0 1 2 3"])
async def test_two_or_three_are_compared(session: Session, features: str) -> None:
    async with features_of(session) as (pilot, screen):
        for feature in map(int, features.split()):
            screen.listed.go_to(feature)
            await pilot.press("space")
        await pilot.press("equals_sign")
        assert isinstance(pilot.app.screen, ErrorDialog)
