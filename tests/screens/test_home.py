"""Home: how it begins, and what is done with whole sessions."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from textual.screen import Screen

from benchmarks.synthetic import Size
from benchmarks.synthetic import make_session as fitted_session
from dct_tui.engine.messages import ResumeFit
from dct_tui.errors import DctError
from dct_tui.screens.app import Workbench
from dct_tui.screens.dialogs import Confirm, ErrorDialog
from dct_tui.screens.home import Home
from dct_tui.sessions import Session
from tests.engine.scripted import ScriptedEngine
from tests.screens.conftest import MakeSession
from tests.screens.looking import screen_text

SMALL = Size(factors=6, width=8, sampled=0)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_without_sessions_it_says_what_to_do(home: Path, size: tuple[int, int]) -> None:
    app = Workbench()
    async with app.run_test(size=size) as pilot:
        text = screen_text(app)
        assert "Welcome" in text and " b " in text and " n " in text
        assert "resume" not in text.splitlines()[-1]
        await pilot.press("q")
    assert not app.is_running


async def test_enter_opens_and_home_is_where_it_was(home: Path) -> None:
    fitted_session(home / "sessions" / "fitted", SMALL)
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        assert app.current_mode == "features" and app.opened().session.name == "fitted"
        await pilot.press("1")
        assert isinstance(app.screen, Home)


async def test_sessions_elsewhere_are_remembered(home: Path, tmp_path: Path) -> None:
    elsewhere = fitted_session(tmp_path / "elsewhere", SMALL)
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("o", *str(elsewhere.path), "enter")
        await app.workers.wait_for_complete()
        assert app.opened().path == elsewhere.path
    app = Workbench()
    async with app.run_test(size=(80, 24)):
        assert "elsewhere" in screen_text(app)


async def test_rename_delete_and_restore(home: Path) -> None:
    fitted_session(home / "sessions" / "one", SMALL)
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("R", *["backspace"] * 3, *"../x", "enter")
        assert "no name for a session" in screen_text(app), "the dialog stays"
        await pilot.press(*["backspace"] * 4, *"two", "enter")
        await app.workers.wait_for_complete()
        assert Session.exists(home / "sessions" / "two") and "two" in screen_text(app)
        await pilot.press("D")
        await pilot.pause()
        assert isinstance(app.screen, Confirm)
        await pilot.press("n")
        assert Session.exists(home / "sessions" / "two")
        await pilot.press("D", "y")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert not Session.exists(home / "sessions" / "two") and "Welcome" in screen_text(app)
        await pilot.press("U", "enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert Session.exists(home / "sessions" / "two") and "● fitted" in screen_text(app)


async def test_a_running_fit_is_not_deleted(make_session: MakeSession) -> None:
    session = make_session("busy", status="fitting")
    app = Workbench()
    with session.writing():
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("D", "y")
            await app.workers.wait_for_complete()
            await pilot.pause()
            assert isinstance(app.screen, ErrorDialog) and Session.exists(session.path)


async def test_resume_asks_an_engine_that_has_the_model(make_session: MakeSession) -> None:
    session = make_session("halt", status="stopped")
    engine = ScriptedEngine({ResumeFit: {"session": str(session.path)}})
    asked: list[str | None] = []

    async def engine_for(model: str | None) -> ScriptedEngine:
        asked.append(model)
        return engine

    app = Workbench(engine_for)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
        await app.workers.wait_for_complete()
        assert asked == [session.record.model.spec]
        assert engine.asked(ResumeFit) == [ResumeFit(session=str(session.path))]
        assert app.current_mode == "fit"


async def test_a_fitted_one_is_not_resumed(home: Path) -> None:
    fitted_session(home / "sessions" / "one", SMALL)
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert isinstance(app.screen, ErrorDialog) and "is fitted" in screen_text(app)


async def test_new_sessions_begin_with_a_model_or_with_settings(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the next screen is given; what it makes of it, its own tests say."""
    given: list[tuple[str, object, object]] = []

    class ModelStandIn(Screen[None]):
        def __init__(self) -> None:
            super().__init__()
            given.append(("model", None, None))

    class LayersStandIn(Screen[None]):
        def __init__(self, model: str, prefill: object = None) -> None:
            super().__init__()
            given.append(("layers", model, prefill))

    monkeypatch.setitem(sys.modules, "dct_tui.screens.model", SimpleNamespace(ModelScreen=ModelStandIn))  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "dct_tui.screens.layers", SimpleNamespace(LayersScreen=LayersStandIn))  # type: ignore[arg-type]
    session = make_session("one")
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        for key in "nbd":
            await pilot.press(key)
            await pilot.pause()
            app.pop_screen()
            await pilot.pause()
    assert given == [
        ("model", None, None),
        ("layers", "builtin", None),
        ("layers", session.record.model.spec, session.record),
    ]


async def test_the_session_that_is_open_keeps_its_screens(home: Path) -> None:
    session = fitted_session(home / "sessions" / "one", SMALL)
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.open_session(session.path, "chat")
        app.opened().selected = frozenset({2})
        chat = app.screen
        await app.switch_mode("home")
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        assert app.current_mode == "features" and app.opened().selected == {2}
        await app.switch_mode("chat")
        assert app.screen is chat


async def test_a_resume_that_fails_is_told(make_session: MakeSession) -> None:
    make_session("halt", status="stopped")

    async def refuse(request: ResumeFit, tell: object) -> dict[str, object]:
        raise DctError("its model is gone", "bring it back")

    engine = ScriptedEngine({ResumeFit: refuse})

    async def engine_for(model: str | None) -> ScriptedEngine:
        return engine

    app = Workbench(engine_for)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert isinstance(app.screen, ErrorDialog) and "its model is gone" in screen_text(app)
