"""Chats where something fails: nothing that was said is lost by it, and the chat goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from dct_tui.errors import DctError
from dct_tui.screens.dialogs import ErrorDialog
from dct_tui.sessions import Session
from tests.engine.scripted import ScriptedEngine
from tests.screens.chat_app import Speaker, chat_session, chatting


@pytest.fixture
def session(home: Path) -> Session:
    return chat_session(home)


async def test_without_an_engine_what_was_said_stays(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(model: str | None) -> ScriptedEngine:
        raise DctError("no engine starts", "look into the log")

    async with chatting(session, Speaker()) as chat:
        await chat.say("hi")
        said = [message.content for message in chat.messages()]
        monkeypatch.setattr(chat.pilot.app.link, "engine", none)  # type: ignore[attr-defined]
        await chat.pilot.press("ctrl+r")
        await chat.pilot.app.workers.wait_for_complete()
        await chat.pilot.pause()
        said_so = chat.pilot.app.screen
        assert isinstance(said_so, ErrorDialog) and said_so.message == "no engine starts"
        await chat.pilot.press("enter")
        chat.screen.on_message_box_recalled()
        await chat.pilot.press("enter")
        await chat.pilot.app.workers.wait_for_complete()
        await chat.pilot.pause()
        assert isinstance(chat.pilot.app.screen, ErrorDialog)
        assert [message.content for message in chat.messages()] == said == ["hi", "hello there."]


async def test_an_unforeseen_failure_does_not_lock_the_chat(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    async with chatting(session, Speaker()) as chat:
        monkeypatch.setattr(chat.pilot.app, "_forgiving", True)
        with monkeypatch.context() as broken:

            async def engine(model: str | None) -> ScriptedEngine:
                raise OSError("the disk is full")

            broken.setattr(chat.pilot.app.link, "engine", engine)  # type: ignore[attr-defined]
            await chat.say("hi")
        assert isinstance(chat.pilot.app.screen, ErrorDialog)
        await chat.pilot.press("enter")
        await chat.pilot.press("ctrl+r")
        await chat.pilot.pause()
        assert [message.content for message in chat.messages()] == ["hi", "hello there."]
