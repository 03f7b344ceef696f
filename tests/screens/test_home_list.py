"""The list of sessions: what each line says, and that it follows the disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.synthetic import Size, mark
from benchmarks.synthetic import make_session as fitted_session
from dct_tui.screens.app import Workbench
from dct_tui.screens.dialogs import ShowText
from dct_tui.screens.home import Home
from dct_tui.screens.widgets.session_list import SessionList
from dct_tui.sessions.averages import make_average
from dct_tui.triage.triage import Triage
from tests.screens.conftest import MakeSession
from tests.screens.looking import screen_text

SMALL = Size(factors=6, width=8, sampled=0)


def row_of(app: Workbench, name: str) -> str:
    lines = [line for line in screen_text(app).splitlines()[2:-1] if name in line]
    assert len(lines) == 1, lines
    return lines[0]


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
        line = row_of(app, "one")
        at = 0
        for text in shown:
            at = line.index(text, at) + len(text)


async def test_names_that_differ_at_their_end_are_told_apart(home: Path, make_session: MakeSession) -> None:
    for number in (1, 2):
        make_session(f"Llama-3.1-8B-Instruct-10-20-exponential-20260102-{number}")
    app = Workbench()
    async with app.run_test(size=(80, 24)):
        for number in (1, 2):
            assert "Llama-3" in row_of(app, f"0102-{number} ")


async def test_what_was_made_of_features_is_not_left_to_judge(home: Path) -> None:
    session = fitted_session(home / "sessions" / "one", SMALL)
    average = make_average(session, [0, 1])
    mark(session, star=[0, average])
    app = Workbench()
    async with app.run_test(size=(80, 24)):
        assert [piece for piece in row_of(app, "one").split() if piece.isdigit()][:3] == ["2", "0", "5"]
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
        assert [piece for piece in row_of(app, "two").split() if piece.isdigit()][:3] == ["1", "0", "5"]


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
        assert "○ created" in row_of(app, "begun")
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
            assert "! interrupted 2/3" in row_of(app, "dead")
            assert "▶ fitting 1/3" in row_of(app, "alive")


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


async def test_many_sessions_scroll(make_session: MakeSession) -> None:
    for number in range(30):
        make_session(f"session-{number}")
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("G")
        await pilot.pause()
        listed = app.screen.query_one(SessionList)
        assert listed.cursor == 29 and 29 in listed.rows_in_view
