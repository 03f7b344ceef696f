"""Chats with an engine as it is: what becomes of a reply when the line drops, and when the engine hangs."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import orjson
import pytest
from textual.pilot import Pilot

from dct_tui.engine.registry import list_engines
from dct_tui.screens.app import Workbench
from dct_tui.screens.chat import ChatScreen
from dct_tui.screens.widgets.status_line import StatusLine
from dct_tui.screens.widgets.transcript import Transcript
from dct_tui.sessions import Session
from dct_tui.sessions.chats import ChatLog, ChatMessage

PATIENCE_S = 60
CONTEXT = 20_000
"""Room for a reply that lasts longer than any test."""


@pytest.fixture(scope="module")
def made(make_llama: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A session of a model that does not come to an end, and a data folder whose engines are ended with the module."""
    from dct_tui.api import open_model
    from dct_tui.jobs.request import FitRequest, record_of
    from dct_tui.sessions import PromptSet

    folder = tmp_path_factory.mktemp("chats")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        for name, value in {"TMPDIR": folder, "DCT_TUI_HOME": folder / "home", "OMP_NUM_THREADS": 1}.items():
            patch.setenv(name, str(value))
        model = make_llama(folder / "model")
        for file in ("config.json",):
            settings = orjson.loads((model / file).read_bytes())
            (model / file).write_bytes(orjson.dumps({**settings, "max_position_embeddings": CONTEXT}))
        lm = open_model(str(model))
        Session.create(folder / "once", record_of(lm, FitRequest(prompts=PromptSet.of(["a", "b"])), "once"))
        yield folder
        for info in list_engines():
            with suppress(ProcessLookupError):
                os.kill(info.pid, signal.SIGKILL)


@pytest.fixture
def session(made: Path, tmp_path: Path) -> Session:
    return Session.open(shutil.copytree(made / "once", tmp_path / "one"))


@pytest.fixture
def home(made: Path) -> Path:
    """Instead of an empty one for each test: the engine has one for its life."""
    return made / "home"


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await pilot.pause(0.02)


def messages(session: Session) -> list[ChatMessage]:
    return ChatLog(session.chat("chat-1")).conversation.messages


def status(app: Workbench) -> str:
    return app.screen.query_one(StatusLine).render_line(0).text


@asynccontextmanager
async def chatting(session: Session) -> AsyncIterator[tuple[Pilot[None], Workbench, ChatScreen]]:
    app = Workbench()
    async with app.run_test(size=(100, 30)) as pilot:
        await app.open_session(session.path, "chat")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, ChatScreen)
        talk = screen.talk
        talk.log.choose(type(talk.settings)(max_new_tokens=CONTEXT))
        yield pilot, app, screen


async def test_a_reply_is_seen_growing_and_stopped_after_the_line_dropped(session: Session) -> None:
    async with chatting(session) as (pilot, _, screen):
        await pilot.press("h", "i", "enter")
        await until(pilot, lambda: screen.talk.live and screen.talk.live["steered"])
    async with chatting(session) as (pilot, _, screen):
        await until(pilot, lambda: screen.talk.live and screen.talk.live["steered"])
        assert screen.talk.live is not None
        before = screen.talk.live["steered"]
        await until(pilot, lambda: screen.talk.live and len(screen.talk.live["steered"]) > len(before))
        assert "elsewhere" not in screen.query_one(Transcript).text
        await pilot.press("escape")
        await until(pilot, lambda: screen.talk.live is None)
        said, reply = messages(session)
        assert said.content == "hi" and reply.stopped and reply.content.startswith(before)
        assert screen.talk.messages == [said, reply]


async def test_an_engine_that_hangs_is_told_of_and_waited_for(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dct_tui.engine.client.BEAT_S", 0.05)
    async with chatting(session) as (pilot, app, screen):
        await pilot.press("h", "i", "enter")
        await until(pilot, lambda: screen.talk.live and screen.talk.live["steered"])
        (info,) = list_engines()
        os.kill(info.pid, signal.SIGSTOP)
        try:
            await until(pilot, lambda: f"engine {info.pid}: no answer" in status(app))
            await pilot.press("escape")
            await until(pilot, lambda: screen.talk.stopping)
            await pilot.press("escape", "q")
            await until(pilot, lambda: app.current_mode == "home")
            assert len(messages(session)) == 1 and "no answer" in status(app)
        finally:
            os.kill(info.pid, signal.SIGCONT)
        await until(pilot, lambda: "no answer" not in status(app) and screen.talk.live is None)
        said, reply = messages(session)
        assert said.content == "hi" and reply.stopped and reply.content
