"""Background samples: what is asked of the engine, in which order, and when."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dct_tui.engine.messages import SampleFeatures
from dct_tui.errors import DctError
from dct_tui.screens import features_base
from dct_tui.screens.dialogs import ErrorDialog
from dct_tui.sessions import Session
from dct_tui.triage.settings import TriageSettings, read_settings, write_settings
from tests.engine.scripted import IDLE, ScriptedEngine
from tests.fitted import PROMPTS, add_samples, fitted_session, sample
from tests.screens.triage_app import counts, features_of, text_of, until

READY = IDLE.__class__(**{**IDLE.__dict__, "model": "m"})


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features_base, "REST_S", 0.001)


@pytest.fixture
def session(home: Path) -> Session:
    return fitted_session(home / "sessions" / "one", count=100)


def sampling(session: Session) -> ScriptedEngine:
    """An engine that holds the model, and samples at once."""

    def make(request: SampleFeatures, tell: Any) -> dict[str, Any]:
        texts = [sample(None, "plain", prompt) for prompt in PROMPTS]
        texts += [
            sample(feature, f"text {feature}", prompt, strength)
            for feature in request.features
            for strength in request.strengths
            for prompt in PROMPTS[: request.limit]
        ]
        add_samples(session, texts)
        return {"made": len(texts), "of": len(texts)}

    return ScriptedEngine({SampleFeatures: make}, READY)


async def test_what_is_in_view_comes_first_then_the_rest_downwards(session: Session) -> None:
    engine = sampling(session)
    async with features_of(session, engine, size=(120, 24)) as (pilot, screen):
        await until(pilot, lambda: screen.triage.sampled() == 100)
        first, second, third = engine.asked(SampleFeatures)
        view = tuple(range(len(screen.listed.rows_in_view)))
        assert 10 < len(view) < 24
        assert (first.features, first.strengths) == (view, (1.0,))
        assert (second.features, second.strengths) == (view, (1.0, 0.6, 1.4))
        assert third.features == tuple(range(len(view), 100)) and third.strengths == (1.0, 0.6, 1.4)
        assert {request.session for request in (first, second, third)} == {str(session.path)}
        assert first.limit == 4
        await until(pilot, lambda: "all sampled" in counts(screen))
        assert "text 0" in text_of(screen.listed)
        await pilot.press("G", "g")
        screen.pulse()
        await pilot.pause()
        assert len(engine.requests) == 3, "what is there is not asked for again"


async def test_another_view_takes_the_place_of_what_is_made(session: Session) -> None:
    begun = asyncio.Event()

    async def forever(request: SampleFeatures, tell: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    engine = ScriptedEngine({SampleFeatures: forever}, READY)
    async with features_of(session, engine, size=(120, 24)) as (pilot, _):
        await begun.wait()
        await pilot.press("j", "k", "j")
        await pilot.pause(0.05)
        assert len(engine.asked(SampleFeatures)) == 1, "the same rows are in view"
        await pilot.press("G")
        await until(pilot, lambda: len(engine.asked(SampleFeatures)) == 2)
        assert engine.asked(SampleFeatures)[1].features[-1] == 99


async def test_the_rest_goes_round_the_end_of_the_list(session: Session) -> None:
    async with features_of(session) as (_, screen):
        batches = list(screen.sampler.plan([50, 51], list(range(100))))
        assert batches[-1][0] == (*range(52, 100), *range(52)), "what is in view is there by then"


async def test_without_the_model_nothing_is_loaded_until_b(session: Session) -> None:
    engine = sampling(session)
    engine.say(model=None)
    async with features_of(session, engine) as (pilot, screen):
        screen.pulse()
        await pilot.pause()
        assert engine.asked(SampleFeatures) == [] and "b samples" in counts(screen)
        assert "b samples" in text_of(screen.pane)
        await pilot.press("b")
        await until(pilot, lambda: screen.triage.sampled() == 100)


async def test_an_engine_that_comes_to_hold_the_model_is_used(session: Session) -> None:
    engine = sampling(session)
    engine.say(model=None)
    async with features_of(session, engine) as (pilot, screen):
        await until(pilot, lambda: screen.workbench.link.held)
        engine.say(model="m")
        screen.pulse()
        await until(pilot, lambda: screen.triage.sampled() == 100)


async def test_b_stops_and_goes_on(session: Session) -> None:
    begun = asyncio.Event()

    async def forever(request: SampleFeatures, tell: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    engine = ScriptedEngine({SampleFeatures: forever}, READY)
    async with features_of(session, engine) as (pilot, screen):
        await begun.wait()
        await pilot.press("b")
        await until(pilot, lambda: engine.cancelled)
        screen.pulse()
        await pilot.press("j")
        await pilot.pause(0.05)
        assert len(engine.asked(SampleFeatures)) == 1 and not screen.sampler.on
        await pilot.press("b")
        await until(pilot, lambda: len(engine.asked(SampleFeatures)) == 2)


async def test_a_refusal_is_told_once_and_stops_it(session: Session) -> None:
    def refuse(request: SampleFeatures, tell: Any) -> dict[str, Any]:
        raise DctError("no memory", "choose fewer prompts")

    engine = ScriptedEngine({SampleFeatures: refuse}, READY)
    async with features_of(session, engine) as (pilot, screen):
        await until(pilot, lambda: isinstance(pilot.app.screen, ErrorDialog))
        await pilot.press("escape")
        screen.pulse()
        await pilot.press("G")
        await pilot.pause(0.05)
        assert pilot.app.screen is screen and len(engine.requests) == 1
        assert "stopped: no memory" in counts(screen)


async def test_an_engine_that_dies_is_no_end(session: Session) -> None:
    begun = asyncio.Event()

    async def forever(request: SampleFeatures, tell: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    engine = ScriptedEngine({SampleFeatures: forever}, READY)
    async with features_of(session, engine) as (pilot, screen):
        await begun.wait()
        engine.die()
        await until(pilot, lambda: isinstance(pilot.app.screen, ErrorDialog))
        await pilot.press("escape", "s")
        assert screen.triage.rows[0].marks.verdict == "starred"


async def test_settings_are_asked_for_kept_and_sampled_by(session: Session) -> None:
    engine = sampling(session)
    async with features_of(session, engine) as (pilot, screen):
        await until(pilot, lambda: screen.triage.sampled() == 100)
        asked = len(engine.requests)
        await pilot.press("S", "enter", "ctrl+u", *"0", "enter")
        assert pilot.app.screen is not screen, "0 is no strength"
        await pilot.press("ctrl+u", *"2, -1", "enter", "j", "enter", "ctrl+u", *"9", "enter")
        assert pilot.app.screen is not screen, "there are two prompts"
        await pilot.press("ctrl+u", *"1", "enter", "escape")
        await until(pilot, lambda: len(engine.requests) > asked)
        assert engine.requests[asked].strengths == (2.0,) and engine.requests[asked].limit == 1
        await until(pilot, lambda: "-1" in text_of(screen.pane))
    kept = read_settings(session.path)
    assert (kept.strengths, kept.prompts) == ((2.0, -1.0), 1)


async def test_own_prompts(session: Session) -> None:
    engine = sampling(session)
    async with features_of(session, engine) as (pilot, screen):
        await until(pilot, lambda: screen.triage.sampled() == 100)
        engine.handlers[SampleFeatures] = {}
        asked = len(engine.requests)
        await pilot.press("S", "G", "enter", *"a b |  c | |a b", "enter", "escape")
        await until(pilot, lambda: len(engine.requests) > asked)
        assert engine.requests[asked].prompts == ("a b", "c")
    assert read_settings(session.path).texts == ("a b", "c")


async def test_an_average_is_sampled_too(session: Session) -> None:
    write_settings(session.path, TriageSettings(strengths=(1.0,)))
    engine = sampling(session)
    async with features_of(session, engine) as (pilot, screen):
        await until(pilot, lambda: screen.triage.sampled() == 100)
        await pilot.press("space", "space", "A")
        await until(pilot, lambda: screen.triage.sampled() == 101)
        assert engine.requests[-1].features == (100,)
