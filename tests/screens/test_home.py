"""Home: what is listed of sessions, that it follows the disk, and what is done with whole sessions."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from textual.screen import Screen

from benchmarks.synthetic import Size, mark
from benchmarks.synthetic import make_session as fitted_session
from dct_tui.engine.messages import ResumeFit
from dct_tui.errors import DctError
from dct_tui.screens.app import Workbench
from dct_tui.screens.dialogs import Confirm, ErrorDialog, ShowText
from dct_tui.screens.home import Home
from dct_tui.screens.widgets.session_list import SessionList
from dct_tui.sessions import Session
from dct_tui.sessions.averages import make_average
from dct_tui.triage.triage import Triage
from tests.engine.scripted import ScriptedEngine
from tests.screens.conftest import MakeSession
from tests.screens.looking import screen_text

SMALL = Size(factors=6, width=8, sampled=0)


def row(app: Workbench, name: str) -> str:
    lines = [line for line in screen_text(app).splitlines()[2:-1] if name in line]
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_without_sessions_it_says_what_to_do(home: Path, size: tuple[int, int]) -> None:
    app = Workbench()
    async with app.run_test(size=size) as pilot:
        text = screen_text(app)
        assert "Welcome" in text and " b " in text and " n " in text
        assert "resume" not in text.splitlines()[-1]
        await pilot.press("q")
    assert not app.is_running


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (80, ["one", "● fitted", "made-up", "8→18", "2", "1", "3"]),
        (120, ["one", "● fitted", "made-up", "8→18", "6", "2", "1", "3"]),
        (200, ["one", "● fitted", "made-up", "exponential", "8→18", "6", "2", "1", "3", "/"]),
    ],
)
async def test_a_session_with_its_counts(home: Path, width: int, shown: list[str]) -> None:
    mark(fitted_session(home / "sessions" / "one", SMALL), star=[0, 3], reject=[1])
    app = Workbench()
    async with app.run_test(size=(width, 24)):
        line = row(app, "one")
        at = 0
        for text in shown:
            at = line.index(text, at) + len(text)


async def test_names_that_differ_at_their_end_are_told_apart(home: Path, make_session: MakeSession) -> None:
    for number in (1, 2):
        make_session(f"Llama-3.1-8B-Instruct-10-20-exponential-20260102-{number}")
    app = Workbench()
    async with app.run_test(size=(80, 24)):
        for number in (1, 2):
            assert "Llama-3" in row(app, f"0102-{number} ")


async def test_what_was_made_of_features_is_not_left_to_judge(home: Path) -> None:
    session = fitted_session(home / "sessions" / "one", SMALL)
    average = make_average(session, [0, 1])
    mark(session, star=[0, average])
    app = Workbench()
    async with app.run_test(size=(80, 24)):
        assert [piece for piece in row(app, "one").split() if piece.isdigit()][:3] == ["2", "0", "5"]
        triage = Triage(session)
        triage.look()
        assert triage.count_words() == "2★ 0✗ · 5 left", "as the features screen counts"


async def test_it_follows_the_disk_and_repaints_only_what_changed(home: Path) -> None:
    sessions = [fitted_session(home / "sessions" / name, SMALL) for name in ("one", "two", "three")]
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        listed = app.screen.query_one(SessionList)
        mark(sessions[1], star=[4])
        assert isinstance(app.screen, Home)
        painted: list[object] = []
        listed.row_changed = lambda *rows, **_: painted.append(rows)  # type: ignore[method-assign]
        app.screen.pulse()
        assert painted == [(listed.shown.index(sessions[1].path),)]
        app.screen.pulse()
        assert painted[1:] == [()], "nothing changed, so nothing is painted"
        del listed.row_changed
        listed.refresh()
        await pilot.pause()
        assert [piece for piece in row(app, "two").split() if piece.isdigit()][:3] == ["1", "0", "5"]


async def test_new_sessions_appear_and_gone_ones_leave(home: Path, make_session: MakeSession) -> None:
    make_session("old")
    (home / "sessions" / "begun").mkdir()
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        assert "begun" not in screen_text(app)
        (home / "sessions" / "begun").rmdir()
        session = make_session("begun")
        assert isinstance(app.screen, Home)
        app.screen.pulse()
        await pilot.pause()
        assert "○ created" in row(app, "begun")
        session.path.rename(home / "elsewhere")
        app.screen.pulse()
        await pilot.pause()
        assert "begun" not in screen_text(app) and "old" in screen_text(app)


async def test_running_and_dead_fits_are_told_apart(make_session: MakeSession) -> None:
    make_session("dead", status="fitting").progress.append({"iteration": 2})
    alive = make_session("alive", status="fitting")
    alive.progress.append({"iteration": 1})
    app = Workbench()
    with alive.writing():
        async with app.run_test(size=(80, 24)):
            assert "! interrupted 2/3" in row(app, "dead")
            assert "▶ fitting 1/3" in row(app, "alive")


async def test_filtering_by_keys(make_session: MakeSession) -> None:
    for name in ("pirate", "swan"):
        make_session(name)
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"swan", "enter")
        listed = app.screen.query_one(SessionList)
        assert [path.name for path in listed.shown] == ["swan"] and app.focused is listed
        await pilot.press("escape")
        assert len(listed.shown) == 2


@pytest.mark.parametrize("name", ["[b]bold[b]", "[", "\x1b[31mred", "日本" * 30, "[@click=app.quit]x"])
async def test_hostile_names_and_damage(home: Path, make_session: MakeSession, name: str) -> None:
    folder = make_session("spoilt").path.rename(home / "sessions" / name)
    record = json.loads((folder / "session.json").read_text())
    (folder / "session.json").write_text(json.dumps({**record, "schema": "[red]\x1b[0m"}))
    make_session("sound")
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        text = screen_text(app)
        assert "\x1b" not in text and "? damaged" in text and "sound" in text
        assert "schema" in next(line for line in text.splitlines() if "? damaged" in line), "why, as far as it fits"
        await pilot.press("g", "i")
        await pilot.press("q", "G", "i")
        assert isinstance(app.screen, ShowText) and "\x1b" not in screen_text(app)


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
        assert Session.exists(home / "sessions" / "two") and "● fitted" in row(app, "two")


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


async def test_many_sessions_scroll(make_session: MakeSession) -> None:
    for number in range(30):
        make_session(f"session-{number}")
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("G")
        await pilot.pause()
        listed = app.screen.query_one(SessionList)
        assert listed.cursor == 29 and 29 in listed.rows_in_view


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
