"""What is typed faster than screens open goes where it would have gone if it had been typed slowly."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import Key, Paste
from textual.pilot import Pilot

from dct_tui.screens.app import Workbench
from dct_tui.screens.chat import ChatScreen
from dct_tui.screens.features import FeaturesScreen
from dct_tui.screens.widgets.message_box import MessageBox
from dct_tui.sessions import Session, replay
from tests.fitted import PROMPTS, fitted_session, sample
from tests.screens.triage_app import features_of, until

SAMPLES = [sample(None, "in the lake.", PROMPTS[0]), *(sample(one, "arr, matey!", PROMPTS[0]) for one in (1, 4))]


@pytest.fixture
def session(home: Path) -> Session:
    return fitted_session(home / "sessions" / "one", samples=SAMPLES)


def type_fast(pilot: Pilot[None], *keys: str) -> None:
    """As a terminal sends what was typed at once: nothing happens between the keys."""
    for key in keys:
        pilot.app.post_message(Key(key, " " if key == "space" else key if len(key) == 1 else None))


async def test_behind_a_question_whatever_it_asks_next(session: Session) -> None:
    async with features_of(session) as (pilot, _):
        type_fast(pilot, *"tx", "s", "enter", "j", *"cab", "enter", "x")
        await until(pilot, lambda: replay(session.read_marks()[0]).rejected())
        kept = replay(session.read_marks()[0])
        assert kept.features[0].tags == {"xs"} and kept.features[1].note == "ab" and kept.rejected() == [1]


async def test_behind_a_choice_in_a_list(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        type_fast(pilot, "o", "j", "enter", "O", "g", "x")
        await until(pilot, lambda: replay(session.read_marks()[0]).rejected())
        assert screen.triage.order.name == "effect" and screen.triage.order.reverse
        assert replay(session.read_marks()[0]).rejected() == [0]


async def test_behind_choices_that_lead_to_one_another(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        # Tokens a sample, then whether a mark goes on.
        type_fast(pilot, "S", "j", "j", "enter", "backspace", "backspace", *"32", "enter", "j", "enter", "q", "x")
        await until(pilot, lambda: replay(session.read_marks()[0]).rejected())
        assert screen.settings.max_new_tokens == 32 and screen.settings.advance is False
        assert screen.listed.here == 0


async def test_behind_a_filter(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await until(pilot, lambda: screen.triage.sampled() == 2)
        type_fast(pilot, "slash", *"arr", "enter", "j", "x", "escape", "g", "s")
        await until(pilot, lambda: replay(session.read_marks()[0]).starred())
        kept = replay(session.read_marks()[0])
        assert kept.rejected() == [4] and kept.starred() == [0] and len(screen.triage.shown) == 6


async def test_behind_another_place(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        # The chat is made the first time; the second it is as it was left, outside its box.
        for count, keys in enumerate(("hello", ["enter", *"again"]), 1):
            type_fast(pilot, "4", *keys, "escape", "3", "j", "x")
            await until(pilot, lambda n=count: len(replay(session.read_marks()[0]).rejected()) == n)
            assert pilot.app.screen is screen
        await pilot.press("4")
        assert isinstance(pilot.app.screen, ChatScreen)
        assert pilot.app.screen.query_one(MessageBox).text == "helloagain"


async def test_behind_a_session_that_is_opened(session: Session) -> None:
    app = Workbench(find=_none)
    async with app.run_test(size=(80, 24)) as pilot:
        type_fast(pilot, "enter", "j", "x")
        await until(pilot, lambda: isinstance(app.screen, FeaturesScreen))
        await until(pilot, lambda: replay(session.read_marks()[0]).rejected() == [1])


async def test_what_is_pasted_stays_between_the_keys(session: Session) -> None:
    async with features_of(session) as (pilot, _):
        type_fast(pilot, "c", "a")
        pilot.app.post_message(Paste("long"))
        type_fast(pilot, "z", "enter")
        await until(pilot, lambda: replay(session.read_marks()[0]).features)
        assert replay(session.read_marks()[0]).features[0].note == "alongz"


async def _none() -> list[object]:
    return []
