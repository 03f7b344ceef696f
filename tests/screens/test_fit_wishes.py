"""Wishes about a fit: they go to whoever fits, an engine or a command elsewhere."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dct_tui.engine.answers import JobState
from dct_tui.engine.messages import ControlFit, ResumeFit
from dct_tui.screens.dialogs import Confirm, ErrorDialog
from dct_tui.screens.home import Home
from tests.engine.scripted import IDLE, ScriptedEngine
from tests.screens.fitting import begun, opened, pulse
from tests.screens.looking import screen_text


async def test_resuming_asks_an_engine(home: Path) -> None:
    session = begun(home, "stopped", 4)
    engine = ScriptedEngine({ResumeFit: {"session": str(session.path)}})
    async with opened(session, engine) as pilot:
        await pilot.press("r")
        await pilot.pause()
        assert engine.asked(ResumeFit) == [ResumeFit(session=str(session.path))]


async def test_a_fit_that_waits_for_the_engine_says_for_what(home: Path) -> None:
    session = begun(home, "stopped", 4)
    job = JobState(id=1, do="resume", session=str(session.path))
    engine = ScriptedEngine({ControlFit: {}}, replace(IDLE, jobs=(job,), loading="a-large-one"))
    async with opened(session, engine) as pilot:
        assert "◌ waiting" in await pulse(pilot) and "loading a-large-one" in screen_text(pilot.app)
        await pilot.press("s", "y")
        await pilot.pause()
        assert [request.action for request in engine.asked(ControlFit)] == ["stop"]


async def test_a_fit_is_taken_out_of_the_queue_and_its_session_left(home: Path) -> None:
    session = begun(home)
    engine = ScriptedEngine({}, replace(IDLE, jobs=(JobState(id=1, do="fit", session=str(session.path)),)))

    async def taken_out(request: ControlFit, tell: object) -> dict[str, str]:
        shutil.rmtree(session.path)
        return {}

    engine.handlers[ControlFit] = taken_out
    async with opened(session, engine) as pilot:
        await pulse(pilot)
        await pilot.press("s")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Confirm) and "queue" in screen_text(pilot.app)
        await pilot.press("y")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert isinstance(pilot.app.screen, Home) and not session.path.exists()


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
async def test_wishes_go_to_the_engine_that_fits(home: Path, state: str, keys: list[str], action: str | None) -> None:
    session = begun(home, "fitting", 2)
    job = JobState(id=1, do="fit", session=str(session.path), state=state)
    engine = ScriptedEngine({ControlFit: {}}, replace(IDLE, pid=os.getpid(), jobs=(job,)))
    async with opened(session, engine) as pilot:
        with session.writing():
            assert ("‖ paused" if state == "paused" else "● fitting") in await pulse(pilot)
            await pilot.press(*keys)
            await pilot.pause()
            assert [request.action for request in engine.asked(ControlFit)] == ([action] if action else [])
            assert all(request.session == str(session.path) for request in engine.asked(ControlFit))


async def test_nothing_is_finished_before_the_first_iteration(home: Path) -> None:
    session = begun(home, "fitting")
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
async def test_a_command_elsewhere_is_interrupted_and_cannot_pause(home: Path, background: bool) -> None:
    session = begun(home, "fitting", 2)
    process = subprocess.Popen(
        [sys.executable, "-c", FITTING, str(session.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN if background else signal.SIG_DFL),
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == b"fitting\n"
        async with opened(session) as pilot:
            assert f"process {process.pid}" in screen_text(pilot.app)
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


@pytest.mark.parametrize("here", [True, False])
async def test_the_first_line_says_whose_fit_is_under_way(home: Path, here: bool) -> None:
    session = begun(home, "fitting", 2)
    path = session.path if here else home / "sessions" / "other"
    job = JobState(id=1, do="fit", session=str(path), state="running", note="fit 3/10")
    async with opened(session, ScriptedEngine({}, replace(IDLE, jobs=(job,)))) as pilot:
        first = screen_text(pilot.app).splitlines()[0]
        assert "fit 3/10" in first and ("of other" in first) is not here and "of one" not in first
