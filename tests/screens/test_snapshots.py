"""Every screen as a picture, at three sizes: what changes without being meant to is seen.

`pytest tests/screens/test_snapshots.py --snapshot-update` draws them anew; look at them before keeping them.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from textual.pilot import Pilot

from benchmarks.svg import steady
from benchmarks.synthetic import Size, iteration, make_session, mark, record_of
from dct_tui.errors import DctError
from dct_tui.screens.app import Workbench
from dct_tui.screens.workspace import Workspace
from dct_tui.sessions import Session
from dct_tui.sessions.chats import ChatLog, ChatMessage, ChatSettings
from dct_tui.sessions.rack import RackEntry
from tests.engine.scripted import ScriptedEngine
from tests.screens.looking import screen_text
from tests.screens.planning import engine, until

SIZES = ((80, 24), (120, 40), (200, 50))
LONG_AGO = 1_767_323_045
FOLDER = Path("/tmp/dct-tui-snapshots")
PIRATE, CAPITALS = RackEntry(features=(3,)), RackEntry(features=(0,), strength=0.8, on=False)

Steps: TypeAlias = "tuple[tuple[str, str], ...]"
"""Keys, and what is shown once each has done its work."""

HOME: Steps = (("", "wolves"),)
FEATURES: Steps = (("", "2★ 2✗"),)
PICTURES: dict[str, tuple[str | None, Steps]] = {
    "home": (None, HOME),
    "model": (None, (*HOME, ("n", "Opening it takes about"))),
    "layers": (None, (*HOME, ("b", "Fitting takes"))),
    "prompts": (None, (*HOME, ("b", "Fitting takes"), ("p", "⟦<|user|>⟧"))),
    "fit": ("fit", (("", "✓ fitted"),)),
    "features": ("features", FEATURES),
    "reading": ("features", (*FEATURES, ("enter", "where does the hen live"))),
    "compare": ("features", (*FEATURES, ("v", "1 selected"), ("j", "2 selected"), ("equals_sign", "feature 1"))),
    "chat": ("chat", (("", "the owl lives in the"),)),
    "export": ("export", (("", "safetensors"),)),
    "help": ("features", (*FEATURES, ("question_mark", "On this screen"))),
    "palette": ("features", (*FEATURES, ("ctrl+p", "what to do"))),
}
"""For each picture the place (None: home, with the session not opened), and the way from there."""


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder whose name is always the same, since it is shown."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    monkeypatch.setenv("DCT_TUI_HOME", str(FOLDER))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield FOLDER
    shutil.rmtree(FOLDER, ignore_errors=True)


@pytest.fixture
def judged(home: Path) -> Path:
    """A session in the midst of being judged, with a chat; beside it others in other states."""
    sessions = home / "sessions"
    session = make_session(sessions / "owls", Size(factors=40, width=16, sampled=30, prompts=3))
    mark(session, star=[0, 3], reject=[1, 7])
    _chat(session)
    Workspace(session.path).rack = (PIRATE, CAPITALS)
    for name, status, done in (("wolves", "stopped", 4), ("bears", "created", 0), ("a-name-that-is-long", "failed", 2)):
        other = Session.create(sessions / name, record_of(name, Size(), status=status))
        with other.writing():
            for number in range(1, done + 1):
                other.progress.append(iteration(number, other.record))
    (sessions / "moths").mkdir()
    (sessions / "moths" / "session.json").write_text("{")
    for path in home.rglob("*"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    return session.path


def _chat(session: Session) -> None:
    settings = ChatSettings(system="You are an owl.")
    said = (
        ("where does the owl live?", "arr, the owl be nestin in the old oak, matey!", (PIRATE,), None),
        ("and what does it eat?", "arr, mice and wee birds.", (PIRATE,), "it eats mice and small birds."),
        ("where does it sleep?", "the owl lives in the tree, and sleeps there by day.", (), None),
    )
    with session.writing("chats"):
        log = ChatLog(session.chat("20260102-1"))
        log.choose(settings)
        for text, reply, rack, unsteered in said:
            log.say(text)
            log.answer(
                ChatMessage(
                    role="assistant",
                    content=reply,
                    at="2026-01-02T03:04:05.678Z",
                    rack=rack,
                    settings=settings,
                    ended=True,
                    unsteered=unsteered,
                )
            )


@pytest.fixture
def draw(snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> Callable[..., bool]:
    """`draw(session, place, steps, size)`: whether the picture is as it was."""
    monkeypatch.setattr("pytest_textual_snapshot.normalize_svg", steady)

    def compare(
        session: Path | None,
        place: str | None,
        steps: Steps,
        size: tuple[int, int],
        then: Callable[[Workbench], Awaitable[None]] | None = None,
    ) -> bool:
        async def engine_for(model: str | None) -> ScriptedEngine:
            return engine()

        async def go(pilot: Pilot[None]) -> None:
            assert isinstance(pilot.app, Workbench)
            if place is not None and session is not None:
                await pilot.app.open_session(session, place)
            for key, seen in steps:
                if key:
                    await pilot.press(key)
                await shows(pilot, seen)
            if then is not None:
                await then(pilot.app)
            await settled(pilot)

        return snap_compare(Workbench(engine_for, theme="dark"), terminal_size=size, run_before=go)

    return compare


async def shows(pilot: Pilot[None], seen: str) -> None:
    try:
        await until(pilot, seen)
    except TimeoutError:
        raise AssertionError(f"{seen!r} is not shown in\n{screen_text(pilot.app)}") from None


async def settled(pilot: Pilot[None]) -> None:
    """Waits until nothing changes any more: what follows the keys comes 150 ms after them."""
    same, before = 0, ""
    while same < 6:
        await pilot.pause(0.03)
        now = screen_text(pilot.app)
        same, before = (same + 1 if now == before else 0), now


def sized(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


@pytest.mark.parametrize("size", SIZES, ids=sized)
@pytest.mark.parametrize("name", PICTURES)
def test_a_screen(judged: Path, draw: Callable[..., bool], name: str, size: tuple[int, int]) -> None:
    assert draw(judged, *PICTURES[name], size)


@pytest.mark.parametrize("size", SIZES, ids=sized)
def test_the_first_screen_of_all(home: Path, draw: Callable[..., bool], size: tuple[int, int]) -> None:
    assert draw(None, None, (("", "Welcome"),), size)


@pytest.mark.parametrize("size", SIZES, ids=sized)
def test_an_error_before_a_screen(judged: Path, draw: Callable[..., bool], size: tuple[int, int]) -> None:
    async def fail(app: Workbench) -> None:
        app.show_error(DctError("there is no model someone/Large-71B", "check the name, or choose one of the list"))

    assert draw(judged, None, HOME, size, fail)
