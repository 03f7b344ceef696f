"""The fit screen: every state from the folder alone, wishes to whoever fits, and curves that are what was measured."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from benchmarks.synthetic import Size, iteration, make_session, record_of
from dct_tui.engine.answers import JobState
from dct_tui.engine.messages import ControlFit, ResumeFit
from dct_tui.screens.app import Workbench
from dct_tui.screens.dialogs import Confirm, ErrorDialog
from dct_tui.screens.fit import FitScreen
from dct_tui.screens.widgets.line_plot import braille
from dct_tui.sessions import Session
from tests.engine.scripted import IDLE, ScriptedEngine

SMALL = Size(factors=8, width=16, sampled=0)
MakeFit = Callable[..., Session]


@pytest.fixture
def begun(home: Path) -> MakeFit:
    """`begun(status, iterations, **changes)`: a session whose fit got so far."""

    def make(status: str = "created", iterations: int = 0, **changes: Any) -> Session:
        session = Session.create(home / "sessions" / "one", record_of("one", SMALL))
        with session.writing():
            for number in range(1, iterations + 1):
                session.progress.append(iteration(number, session.record))
            session.update_record(status=status, **changes)
        return session

    return make


@asynccontextmanager
async def opened(
    session: Session, engine: ScriptedEngine | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Pilot[None]]:
    async def engine_for(model: str | None) -> ScriptedEngine:
        assert engine is not None, "no engine was to be asked for"
        return engine

    async def find() -> list[ScriptedEngine]:
        return [engine] if engine is not None else []

    app = Workbench(engine_for, session.path, find=find)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await app.action_go("fit")
        await pilot.pause()
        assert isinstance(app.screen, FitScreen)
        yield pilot


def shown(pilot: Pilot[None]) -> str:
    """What stands on the screen."""
    return "\n".join(
        "".join(segment.text for segment in strip) for strip in pilot.app.screen._compositor.render_strips()
    )


async def pulse(pilot: Pilot[None]) -> str:
    assert isinstance(pilot.app.screen, FitScreen)
    pilot.app.screen.pulse()
    await pilot.pause()
    return shown(pilot)


def offered(pilot: Pilot[None]) -> set[str]:
    """The actions of the screen that a key would perform now."""
    return {binding.action for _, binding, enabled, _ in pilot.app.screen.active_bindings.values() if enabled}


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
@pytest.mark.parametrize(
    ("status", "iterations", "words", "keys"),
    [
        ("created", 0, "○ created not begun: r starts it", {"resume"}),
        ("stopped", 4, "■ stopped iteration 4 of 10 r goes on from iteration 4", {"resume"}),
        ("fitting", 3, "■ interrupted iteration 3 of 10 its process has ended", {"resume"}),
        ("failed", 2, "✗ failed NaN in V r goes on from iteration 2", {"resume"}),
    ],
)
async def test_a_fit_that_does_not_run(
    begun: MakeFit, status: str, iterations: int, words: str, keys: set[str], size: tuple[int, int]
) -> None:
    async with opened(begun(status, iterations, failure="NaN in V"), size=size) as pilot:
        text = shown(pilot)
        for word in words.split():
            assert word in text, word
        assert offered(pilot) & {"resume", "pause", "stop", "finish"} == keys
        assert "R = 12.5, 31% of the stream's median norm, calibrated" in text


async def test_a_fitted_one_leads_to_its_features(home: Path) -> None:
    async with opened(make_session(home / "sessions" / "one", SMALL)) as pilot:
        assert "✓ fitted" in shown(pilot) and "8 features in 10 s" in shown(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert pilot.app.current_mode == "features"


async def test_features_are_not_gone_to_before_they_are_there(begun: MakeFit) -> None:
    async with opened(begun("stopped", 4)) as pilot:
        await pilot.press("enter")
        assert pilot.app.current_mode == "fit"


async def test_a_fit_elsewhere_is_followed_from_its_journal(begun: MakeFit) -> None:
    session = begun("created", calibration=None)
    async with opened(session) as pilot:
        with session.writing():
            session.update_record(status="fitting")
            assert "● calibrating" in await pulse(pilot) and "R is not known yet" in shown(pilot)
            session.update_record(calibration={"scale": 3.0, "kind": "fallback", "reference": 6.0})
            session.progress.append(iteration(1, session.record))
            text = await pulse(pilot)
            assert "● fitting  iteration 1 of 10" in text and "about 9 s left" in text
            assert (
                "R = 3, 50% of the stream" in text and "no bend was found" in text and f"process {os.getpid()}" in text
            )
            assert "! above 45% of that norm models mostly break" in text and "such as 1.8" in text
            session.progress.append({"stage": "fit", "iteration": 1, "done": 3, "of": 4, "at": "2026-01-02T03:04:09Z"})
            assert "about 9 s left" in await pulse(pilot), "of an iteration of one second three quarters are done"
            for number in range(2, 11):
                session.progress.append(iteration(number, session.record))
            assert "● describing" in await pulse(pilot)
            session.progress.append({"stage": "describe", "iteration": 10, "done": 2, "of": 8})
            text = await pulse(pilot)
            assert "features described" in text and "25%" in text
            session.update_record(status="failed", failure="no room")
        assert "✗ failed" in await pulse(pilot) and "no room" in shown(pilot)


async def test_an_iteration_that_was_done_again_counts_once(begun: MakeFit) -> None:
    session = begun("stopped", 3)
    session.progress.append({**iteration(3, session.record), "objective": 123.0})
    async with opened(session) as pilot:
        assert "objective 123" in shown(pilot) and "iteration 3 of 10" in shown(pilot)


@pytest.mark.parametrize(
    "record",
    [
        {"iteration": "many"},
        {"iteration": -1},
        {"iteration": True},
        {"iteration": 4, "objective": "\x1b[2J", "change": None, "settled": [], "seconds": -1, "memory": "x"},
        {"iteration": 4, "change": 0, "objective": 1e300, "settled": 7},
        {"stage": "\x1b[31m", "done": 1, "of": 0, "at": 5},
        {"stage": ["fit"], "done": "x"},
    ],
)
async def test_odd_records_are_borne(begun: MakeFit, record: dict[str, Any]) -> None:
    session = begun("stopped", 3)
    session.progress.append(record)
    async with opened(session) as pilot:
        assert "■ stopped" in shown(pilot) and "\x1b" not in shown(pilot)


async def test_hostile_names_and_reasons(begun: MakeFit) -> None:
    hostile = "\x1b[31mred [b]x[/b] \u202eback " + "日本" * 200
    session = begun("failed", 1, failure=hostile, model=replace(record_of("x", SMALL).model, spec=hostile))
    async with opened(session) as pilot:
        await pilot.press("i")
        await pilot.pause()
        text = shown(pilot)
        assert "[b]x[/b]" in text and "\x1b" not in text and "\u202e" not in text


# Wishes


async def test_resuming_asks_an_engine(begun: MakeFit) -> None:
    session = begun("stopped", 4)
    engine = ScriptedEngine({ResumeFit: {"session": str(session.path)}})
    async with opened(session, engine) as pilot:
        await pilot.press("r")
        await pilot.pause()
        assert engine.asked(ResumeFit) == [ResumeFit(session=str(session.path))]


async def test_a_fit_that_waits_for_the_engine_says_for_what(begun: MakeFit) -> None:
    session = begun("stopped", 4)
    job = JobState(id=1, do="resume", session=str(session.path))
    engine = ScriptedEngine({ControlFit: {}}, replace(IDLE, jobs=(job,), loading="a-large-one"))
    async with opened(session, engine) as pilot:
        assert "◌ waiting" in await pulse(pilot) and "loading a-large-one" in shown(pilot)
        await pilot.press("s", "y")
        await pilot.pause()
        assert [request.action for request in engine.asked(ControlFit)] == ["stop"]


@pytest.mark.parametrize(
    ("state", "keys", "action"),
    [
        ("running", ["p"], "pause"),
        ("paused", ["p"], "go on"),
        ("running", ["s", "y"], "stop"),
        ("running", ["f", "y"], "finish"),
        ("running", ["s", "n"], None),
        ("running", ["f", "q"], None),
    ],
)
async def test_wishes_go_to_the_engine_that_fits(
    begun: MakeFit, state: str, keys: list[str], action: str | None
) -> None:
    session = begun("fitting", 2)
    job = JobState(id=1, do="fit", session=str(session.path), state=state)
    engine = ScriptedEngine({ControlFit: {}}, replace(IDLE, pid=os.getpid(), jobs=(job,)))
    async with opened(session, engine) as pilot:
        with session.writing():
            assert ("‖ paused" if state == "paused" else "● fitting") in await pulse(pilot)
            await pilot.press(*keys)
            await pilot.pause()
            assert [request.action for request in engine.asked(ControlFit)] == ([action] if action else [])
            assert all(request.session == str(session.path) for request in engine.asked(ControlFit))


async def test_nothing_is_finished_before_the_first_iteration(begun: MakeFit) -> None:
    session = begun("fitting")
    async with opened(session) as pilot:
        with session.writing():
            await pulse(pilot)
            await pilot.press("f")
            await pilot.pause()
            assert isinstance(pilot.app.screen, ErrorDialog)


FITTING = """
import sys
from pathlib import Path
from dct_tui.sessions import Session
session = Session.open(Path(sys.argv[1]))
with session.writing():
    print("fitting", flush=True)
    try:
        sys.stdin.read()
    except KeyboardInterrupt:
        session.update_record(status="stopped")
"""


@pytest.mark.parametrize("background", [False, True])
async def test_a_command_elsewhere_is_interrupted_and_cannot_pause(begun: MakeFit, background: bool) -> None:
    session = begun("fitting", 2)
    process = subprocess.Popen(
        [sys.executable, "-c", FITTING, str(session.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN if background else signal.SIG_DFL),
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == b"fitting\n"
        async with opened(session) as pilot:
            assert f"process {process.pid}" in shown(pilot)
            await pilot.press("p")
            await pilot.pause()
            assert isinstance(pilot.app.screen, ErrorDialog) and "no engine" in pilot.app.screen.message
            await pilot.press("enter", "s")
            await pilot.pause()
            assert isinstance(pilot.app.screen, Confirm) and str(process.pid) in pilot.app.screen.detail
            await pilot.press("y")
            await pilot.pause()
            process.wait(30)
            expected = "■ interrupted" if background else "■ stopped"
            assert expected in await pulse(pilot)
    finally:
        process.kill()
        process.communicate()


# What is painted


async def test_without_news_nothing_is_painted(begun: MakeFit, monkeypatch: pytest.MonkeyPatch) -> None:
    from dct_tui.screens.widgets.changing_lines import ChangingLines
    from dct_tui.screens.widgets.fit_log import FitLog

    painted: list[object] = []
    session = begun("stopped", 4)
    async with opened(session) as pilot:
        for kind in (ChangingLines, FitLog):
            monkeypatch.setattr(kind, "refresh", lambda self, *regions, **options: painted.append(self) or self)
        for _ in range(3):
            await pulse(pilot)
        assert painted == []
        session.progress.append(iteration(5, session.record))
        await pulse(pilot)
        assert painted


def test_a_curve_goes_through_its_points() -> None:
    """Against dots placed by hand: 2 × 4 of them in a character."""
    lines = braille([(0, 0.0), (7, 7.0)], 4, 2, (0, 7), (0, 7))
    dots = {
        (2 * column + x, 4 * row + y)
        for row, line in enumerate(lines)
        for column, char in enumerate(line)
        for y, bits in enumerate(((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80)))
        for x, bit in enumerate(bits)
        if char != " " and (ord(char) - 0x2800) & bit
    }
    assert dots == {(place, 7 - place) for place in range(8)}, "the diagonal, and nothing beside it"
    assert braille([], 3, 2, (1, 2), (0, 1)) == ["   ", "   "]
    assert braille([(1, 5.0), (2, 5.0)], 1, 1, (1, 2), (5, 5)) != [" "], "a flat line is one too"
