"""The application: its places, its hold on engines, and what happens when something goes wrong."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from benchmarks.synthetic import Size
from benchmarks.synthetic import make_session as fitted_session
from dct_tui.engine.answers import JobState
from dct_tui.errors import DctError
from dct_tui.screens.app import PLACES, Workbench
from dct_tui.screens.dialogs import ErrorDialog
from dct_tui.screens.engine_link import EngineLink
from dct_tui.screens.home import Home
from dct_tui.screens.log import LogScreen
from dct_tui.screens.workbench_log import log_line, workbench_log
from tests.engine.scripted import ScriptedEngine
from tests.screens.conftest import MakeSession
from tests.screens.looking import screen_text

FIT = JobState(id=1, do="fit", session="/data/sessions/pirates", state="running", note="3/10")


def engine_named(pid: int, **changes: object) -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.say(pid=pid, **changes)
    return engine


# Places


async def test_places_need_a_session(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        for key in "2345":
            await pilot.press(key)
            assert app.current_mode == "home"
        with pytest.raises(DctError, match="no session is open"):
            app.opened()


async def test_every_place_and_back(home: Path) -> None:
    session = fitted_session(home / "sessions" / "one", Size(factors=6, width=8, sampled=0))
    app = Workbench(session=session.path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.current_mode == "features"
        for key, place in zip("2345", PLACES, strict=True):
            await pilot.press("escape", key)
            await pilot.pause()
            assert app.current_mode == place and f"{key} {place}" in screen_text(app).splitlines()[0]
        await pilot.press("q")
        assert isinstance(app.screen, Home) and app.opened().path == session.path
        await pilot.press("q")
    assert not app.is_running


async def test_a_session_that_is_not_there_leads_home(home: Path) -> None:
    app = Workbench(session=home / "nothing")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, ErrorDialog) and app.current_mode == "home"


# Engines


async def test_a_line_to_an_engine_is_kept_and_asked_again(home: Path) -> None:
    holds, asked = engine_named(1, model="m"), []

    async def engine_for(model: str | None) -> ScriptedEngine:
        asked.append(model)
        return holds

    link = EngineLink(engine_for)
    engines = await asyncio.gather(link.engine("m"), link.engine("m"), link.engine(None))
    assert all(engine is holds for engine in engines) and asked == ["m"]
    assert link.words() == "ready: m"


async def test_two_lines_to_one_engine_become_one(home: Path) -> None:
    lines = [engine_named(1, model="m"), engine_named(1, model="m")]
    link = EngineLink(lambda model: _given(lines.pop(0)))
    first = await link.engine("m")
    second = await link.engine("other")
    assert second is first and not lines


async def _given(engine: ScriptedEngine) -> ScriptedEngine:
    return engine


async def test_engines_that_run_are_found_and_told_of(home: Path) -> None:
    idle, busy = engine_named(1, model="m"), engine_named(2, jobs=(FIT,))
    app = Workbench(_given, find=lambda: _several(idle, busy))  # type: ignore[arg-type]
    async with app.run_test(size=(100, 24)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "fit 3/10" in screen_text(app).splitlines()[0]
        busy.say(jobs=(JobState(id=1, do="fit", state="paused", note="4/10"),))
        await pilot.pause()
        assert "paused fit 4/10" in screen_text(app).splitlines()[0]
        busy.die()
        await pilot.pause()
        assert "engine ended" in screen_text(app).splitlines()[0]
        assert await app.link.engine("m") is idle
        await pilot.pause()
        assert "ready: m" in screen_text(app).splitlines()[0]


async def _several(*engines: ScriptedEngine) -> list[ScriptedEngine]:
    return list(engines)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "engine ready"),
        ({"loading": "m"}, "loading m"),
        ({"jobs": (JobState(id=1, do="sample", state="waiting"),)}, "engine ready"),
        ({"jobs": (JobState(id=1, do="fit", state="running", note="fit 3/10"),)}, "fit 3/10"),
        (
            {"jobs": (JobState(id=1, do="fit", state="paused", note="describe", session="/a/b"),)},
            "paused fit describe of b",
        ),
    ],
)
def test_what_is_said_of_an_engine(changes: dict[str, object], words: str) -> None:
    link = EngineLink()
    assert link.words() == "no engine"
    link.current = engine_named(1, **changes)
    assert link.words() == words


async def test_leaving_says_which_fits_go_on(home: Path) -> None:
    busy = engine_named(2, jobs=(FIT,))
    app = Workbench(_given, find=lambda: _several(busy))  # type: ignore[arg-type]
    async with app.run_test() as pilot:
        await app.workers.wait_for_complete()
        await pilot.press("ctrl+q")
    assert not busy.requests, "nothing is asked of the engine, least of all to end"
    assert "pirates goes on" in app.farewell() and "dct-tui engines" in app.farewell()
    app = Workbench(_given, find=lambda: _several(engine_named(1)))  # type: ignore[arg-type]
    async with app.run_test() as pilot:
        await pilot.press("ctrl+q")
    assert app.farewell() == ""


# What goes wrong


async def test_an_unforeseen_error_of_an_action_is_shown_and_logged(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Home) -> None:
        raise ZeroDivisionError("[b]by nought\x1b[0m")

    monkeypatch.setattr(Home, "action_gather", broken, raising=True)
    monkeypatch.setattr(Home, "on_mount", lambda self: None)
    monkeypatch.setattr(Home, "on_screen_resume", lambda self: None)
    app = Workbench(forgiving=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f5")
        await pilot.pause()
        assert isinstance(app.screen, ErrorDialog) and "ZeroDivisionError: [b]by nought" in screen_text(app)
        assert "\x1b" not in screen_text(app)
        await pilot.press("enter")
        assert isinstance(app.screen, Home), "the workbench goes on"
    assert "broken" in workbench_log().read_text()


async def test_a_fatal_error_ends_with_one_line_that_names_the_log(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Home, event: object) -> None:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr(Home, "on_line_list_moved", broken, raising=False)
    fitted_session(home / "sessions" / "one", Size(factors=6, width=8, sampled=0))
    fitted_session(home / "sessions" / "two", Size(factors=6, width=8, sampled=0))
    app = Workbench(forgiving=True)
    with pytest.raises(ZeroDivisionError):
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("j")
            await pilot.pause()
    assert app.failure is not None and str(workbench_log()) in str(app.failure)
    assert "by nought" in workbench_log().read_text()


async def test_an_error_in_a_test_is_not_hidden(home: Path) -> None:
    app = Workbench()
    async with app.run_test():
        with pytest.raises(ZeroDivisionError):
            app.show_error(ZeroDivisionError())


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP])
async def test_a_terminated_workbench_leaves_in_order(home: Path, sign: signal.Signals) -> None:
    # Where the workbench does not take it, it must not end the tests.
    before = signal.signal(sign, lambda *_: None)
    app = Workbench()
    async with app.run_test() as pilot:
        os.kill(os.getpid(), sign)
        await pilot.pause()
        await pilot.pause()
    signal.signal(sign, before)
    assert app.return_code == 0


async def test_no_key_goes_to_a_place_that_is_being_taken_down(make_session: MakeSession) -> None:
    app = Workbench(session=make_session("one").path)
    async with app.run_test() as pilot:
        await pilot.pause()
        closing = asyncio.create_task(app.close_session())
        await asyncio.sleep(0)
        await app.action_go("chat")
        await closing
        assert app.current_mode == "home" and app.workspace is None


@pytest.mark.parametrize("place", PLACES)
async def test_a_session_whose_folder_is_gone_is_left(home: Path, place: str) -> None:
    session = fitted_session(home / "sessions" / "one", Size(factors=6, width=8, sampled=0))
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.open_session(session.path, place)
        await pilot.pause()
        session.path.rename(home / "elsewhere")
        app.screen._beat()
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert isinstance(app.screen, ErrorDialog) and "is gone" in app.screen.message
        assert app.current_mode == "home" and app.workspace is None
        assert not session.path.exists()


# Logs


async def test_the_log_is_followed(home: Path, make_session: MakeSession) -> None:
    log_line("first [b]line\x1b[31m")
    engine_log = home / "logs" / "engine-7.log"
    engine_log.write_text("of the engine\n")
    os.utime(engine_log, (1, 1))
    app = Workbench()
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("L")
        await pilot.pause()
        assert isinstance(app.screen, LogScreen)
        assert "first [b]line" in screen_text(app) and "\x1b" not in screen_text(app)
        log_line("\n".join(f"line {number}" for number in range(100)))
        app.screen.pulse()
        await pilot.pause()
        assert "line 99" in screen_text(app) and "line 1 " not in screen_text(app)
        await pilot.press("g")
        log_line("the newest")
        app.screen.pulse()
        await pilot.pause()
        assert "the newest" not in screen_text(app), "who reads further up is left there"
        await pilot.press("f")
        await pilot.pause()
        assert "of the engine" in screen_text(app)
        await pilot.press("q")
        assert isinstance(app.screen, Home)
