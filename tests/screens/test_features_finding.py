"""Filters, orders, steps and likeness by keys."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.widgets import Input

from dct_tui.engine.messages import Contrast
from dct_tui.errors import DctError
from dct_tui.screens import features_base, features_finding
from dct_tui.screens.dialogs import ErrorDialog
from dct_tui.sessions import Mark, Session
from tests.engine.scripted import ScriptedEngine
from tests.fitted import PROMPTS, fitted_session, sample
from tests.screens.triage_app import counts, features_of, lines, text_of, until

SWAN, MOON = PROMPTS
SAMPLES = [
    sample(None, "in the lake.", SWAN),
    sample(1, "arr, matey!", SWAN),
    sample(4, "arr, matey!", SWAN),
    sample(2, "BOW human", SWAN),
    sample(2, "BOW machine", SWAN, 1.4),
]


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features_base, "REST_S", 0.001)
    monkeypatch.setattr(features_finding, "TYPED_S", 0.001)


@pytest.fixture
def session(home: Path) -> Session:
    return fitted_session(home / "sessions" / "one", samples=SAMPLES)


async def test_a_filter_is_tried_as_it_is_written_and_kept_by_enter(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await until(pilot, lambda: screen.triage.sampled() == 3)
        await pilot.press("j", "slash", *"arr")
        await until(pilot, lambda: screen.triage.shown == [1, 4])
        assert screen.listed.here == 1, "the cursor stays on its feature"
        await pilot.press(*" !index:1")
        await until(pilot, lambda: screen.triage.shown == [4])
        await pilot.press("enter")
        assert screen.listed.has_focus and screen.listed.here == 4
        assert screen.query_one("#filter", Input).value == "arr !index=1"
        await until(pilot, lambda: "1 of 6" in counts(screen))
        await pilot.press("escape")
        assert screen.triage.shown == [0, 1, 2, 3, 4, 5] and screen.listed.here == 4
        assert screen.query_one("#filter", Input).value == ""


async def test_escape_leaves_the_filter_as_it_was(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await pilot.press("slash", *"kl>2", "enter")
        assert screen.triage.shown == [3, 4, 5]
        await pilot.press("slash", *" kl>4")
        await until(pilot, lambda: screen.triage.shown == [5])
        await pilot.press("escape")
        assert screen.triage.shown == [3, 4, 5] and screen.listed.has_focus


@pytest.mark.parametrize("text", ["kl>", "/(/", "foo:bar", "tag:", "!"])
async def test_a_wrong_filter_is_told_and_stays_to_be_mended(session: Session, text: str) -> None:
    async with features_of(session) as (pilot, screen):
        line = screen.query_one("#filter", Input)
        await pilot.press("slash")
        line.value = text
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, ErrorDialog) and "place " in pilot.app.screen.message
        await pilot.press("escape")
        assert line.has_focus and line.value == text and len(screen.triage.shown) == 6


async def test_a_filter_that_lets_nothing_through(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await pilot.press("slash", *"starred", "enter")
        assert screen.listed.here is None and "escape shows all" in text_of(screen.listed)
        await pilot.press("s")
        assert isinstance(pilot.app.screen, ErrorDialog)
        await pilot.press("escape", "j", "]", "n", "h", "l", "enter", "v", "v")
        await pilot.press("escape", "escape")
        assert len(screen.triage.shown) == 6


async def test_a_mark_leaves_the_filtered_list_until_it_is_made_anew(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await pilot.press("slash", *"unjudged", "enter", "s")
        assert screen.triage.shown == [0, 1, 2, 3, 4, 5] and screen.listed.here == 1
        await pilot.press("r")
        assert screen.triage.shown == [1, 2, 3, 4, 5] and screen.listed.here == 1


async def test_steps_to_what_is_not_judged_and_to_matches(session: Session) -> None:
    session.marks.append(Mark("reject", (0, 1, 3)).encode())
    async with features_of(session) as (pilot, screen):
        await until(pilot, lambda: screen.triage.sampled() == 3)
        here = []
        for key in ("right_square_bracket",) * 3 + ("left_square_bracket",) * 2:
            await pilot.press(key)
            here.append(screen.listed.here)
        assert here == [2, 4, 5, 4, 2]
        await pilot.press("n")
        assert isinstance(pilot.app.screen, ErrorDialog), "there was no filter yet"
        await pilot.press("escape", "slash", *"arr", "enter", "escape", "g")
        here.clear()
        for key in "nnnN":
            await pilot.press(key)
            here.append(screen.listed.here)
        assert here == [1, 4, 1, 4] and len(screen.triage.shown) == 6


async def test_orders(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await until(pilot, lambda: screen.triage.sampled() == 3)
        await pilot.press("j", "o", "j", "enter")
        await until(pilot, lambda: screen.triage.shown == [5, 4, 3, 2, 1, 0])
        assert screen.listed.here == 1 and "by effect" in counts(screen)
        await pilot.press("O")
        assert screen.triage.shown == [0, 1, 2, 3, 4, 5]
        await pilot.press("o", "escape")
        assert pilot.app.screen is screen and screen.triage.order.reverse
        await pilot.press("o", "j", "j", "enter")
        await until(pilot, lambda: screen.triage.order.name == "novelty")
        assert screen.triage.shown[:2] == [1, 2] and screen.triage.shown.index(4) > 1, "4 says what 1 says"


async def test_a_contrast_asks_the_engine(session: Session) -> None:
    engine = ScriptedEngine({Contrast: {"scores": [0.0, -1.0, 5.0, 1.0, 2.0, 3.0]}})
    async with features_of(session, engine) as (pilot, screen):
        await pilot.press("o", "j", "j", "j", "j", "enter")
        await until(pilot, lambda: pilot.app.screen is not screen)
        await pilot.press(*"Sure", "enter")
        assert pilot.app.screen is not screen, "one word is not two"
        await pilot.press(*", Sorry", "enter")
        await until(pilot, lambda: screen.triage.shown == [2, 5, 4, 3, 0, 1])
        (asked,) = engine.asked(Contrast)
        assert (asked.towards, asked.away, asked.session) == ("Sure", " Sorry", str(session.path))
        assert "contr." in text_of(screen.listed) and "by contrast" in counts(screen)


async def test_an_engine_that_refuses_a_contrast_leaves_the_order(session: Session) -> None:
    def refuse(request: Contrast, tell: object) -> dict[str, object]:
        raise DctError("'qq' is three tokens", "choose a shorter word")

    async with features_of(session, ScriptedEngine({Contrast: refuse})) as (pilot, screen):
        await pilot.press("o", "j", "j", "j", "j", "enter", *"qq,a", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ErrorDialog))
        await pilot.press("escape")
        assert screen.triage.order.name == "rank"


async def test_neighbours_and_going_to_one(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await until(pilot, lambda: screen.triage.sampled() == 3)
        await pilot.press("slash", *"index:1", "enter", "i")
        await until(pilot, lambda: pilot.app.screen is not screen)
        first, *others = pilot.app.screen.shown.found  # type: ignore[attr-defined]
        assert first[0] == 4 and first[2] == 1.0, "the one that says the same comes first"
        cosines = [cosine for _, cosine, _ in others]
        assert len(cosines) == 4 and cosines == sorted(cosines, reverse=True)
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert screen.listed.here == 4 and len(screen.triage.shown) == 6, "the filter that hid it gives way"


async def test_an_average_appears_and_is_gone_to(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await pilot.press("A")
        assert isinstance(pilot.app.screen, ErrorDialog)
        await pilot.press("escape", "space", "space", "A")
        await until(pilot, lambda: screen.listed.here == 6)
        await until(pilot, lambda: "the mean of 0, 1" in text_of(screen.pane))
        assert session.read_fit().V.shape[1] == 7 and screen.selected == frozenset()
        await pilot.press("s")
        assert screen.triage.rows[6].marks.verdict == "starred"


async def test_a_slow_pattern_is_refused_and_the_list_stays(home: Path) -> None:
    session = fitted_session(home / "sessions" / "one", samples=[sample(None, "b"), sample(1, "a" * 90 + "!")])
    async with features_of(session) as (pilot, screen):
        await until(pilot, lambda: screen.triage.sampled() == 1)
        await pilot.press("slash")
        screen.query_one("#filter", Input).value = "/(a+)+$/"
        async with asyncio.timeout(20):
            await pilot.press("enter")
        assert isinstance(pilot.app.screen, ErrorDialog) and "too long" in pilot.app.screen.message
        assert len(screen.triage.shown) == 6


async def test_a_filter_begins_at_its_first_and_shows_where_the_word_stands(home: Path) -> None:
    samples = [
        sample(None, "in the lake."), sample(None, "a cat", prompt=MOON),
        *(sample(feature, "arr, matey!") for feature in range(3)), sample(2, "the parrot", prompt=MOON),
    ]  # fmt: skip
    async with features_of(fitted_session(home / "sessions" / "p", samples=samples)) as (pilot, screen):
        await pilot.press("G", "slash", *"parrot", "enter")
        assert screen.listed.here == 2 and "the parrot" in lines(screen.listed)[1]
        assert "matey" not in lines(screen.listed)[1]
        await pilot.press("escape", "G", "slash", *"matey", "enter")
        assert screen.listed.cursor == 0
