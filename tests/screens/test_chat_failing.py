"""Chats where something fails: nothing that was said is lost by it, and the chat goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dct_tui.engine.messages import Reply
from dct_tui.errors import ContextFull, DctError
from dct_tui.screens.dialogs import ErrorDialog
from dct_tui.sessions import Session
from dct_tui.sessions.chats import ChatLog
from tests.engine.scripted import IDLE, ScriptedEngine
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


async def test_a_message_for_which_the_model_has_no_room_goes_back_into_the_box(session: Session) -> None:
    speaker = Speaker()

    async def reply(request: Reply, tell: Any) -> dict[str, Any]:
        if len(chat.messages()[-1].content) > 20:
            raise ContextFull("the conversation has 203 tokens", "shorten the message")
        return await speaker(request, tell)

    async with chatting(session, reply) as chat:
        await chat.say("hi")
        await chat.say("a long message of many words")
        await chat.pilot.app.workers.wait_for_complete()
        said = chat.pilot.app.screen
        assert isinstance(said, ErrorDialog) and said.message == "the conversation has 203 tokens"
        await chat.pilot.press("enter")
        assert chat.box.text == "a long message of many words" and "many words" not in chat.text
        assert [message.content for message in chat.messages()] == ["hi", "hello there."]
        chat.box.put("")
        await chat.say("short")
        assert [message.content for message in chat.messages()][2:] == ["short", "hello there."]


async def test_a_reply_that_does_not_end_is_said_not_to(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dct_tui.screens.chat_talk.PATIENCE_S", 0.1)
    speaker, stopped, ended = Speaker(), asyncio.Event(), asyncio.Event()

    async def reply(request: Reply, tell: Any) -> dict[str, Any]:
        tell({"side": "steered", "text": "hello "})
        try:
            await ended.wait()
        except asyncio.CancelledError:
            stopped.set()
            await ended.wait()
        return await speaker(request, tell)

    async with chatting(session, reply) as chat:
        await chat.say("hi")
        await chat.pilot.press("escape")
        await stopped.wait()
        while not isinstance(said := chat.pilot.app.screen, ErrorDialog):
            await chat.pilot.pause()
        assert said.message == "the reply does not end" and "dct-tui engines" in said.hint
        await chat.pilot.press("enter", "escape")
        assert not chat.box.has_focus  # escape leaves the box, though the reply goes on
        ended.set()
        await chat.pilot.app.workers.wait_for_complete()
        assert "stopping" not in chat.next


async def test_an_engine_that_hangs_is_said_to(session: Session) -> None:
    speaker = Speaker()
    speaker.gate.clear()
    async with chatting(session, speaker) as chat:
        await chat.say("hi")
        chat.engine.hang(True)
        chat.screen.pulse()
        assert "does not answer" in chat.next
        assert chat.pilot.app.status()[1] == f"engine {IDLE.pid}: no answer"  # type: ignore[attr-defined]
        chat.engine.hang(False)
        speaker.gate.set()
        await chat.pilot.app.workers.wait_for_complete()
        await chat.pilot.pause()
        assert "hello there." in chat.text and "no answer" not in chat.pilot.app.status()[1]  # type: ignore[attr-defined]


async def test_a_chat_that_cannot_be_read_is_told_of_and_another_begun(session: Session) -> None:
    (session.path / "chats").mkdir(exist_ok=True)
    (session.path / "chats" / "chat-1.jsonl").mkdir()
    async with chatting(session, Speaker()) as chat:
        assert any("chat-1" in notice.message for notice in chat.pilot.app._notifications)
        await chat.say("hello")
        assert ChatLog(session.chat("chat-2")).conversation.messages[0].content == "hello"


async def test_a_message_whose_editing_was_left_while_an_engine_starts_is_sent_nowhere(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with chatting(session, Speaker()) as chat:
        await chat.say("mine")
        await chat.pilot.press("ctrl+n")
        await chat.say("other")
        chats = {name: ChatLog(session.chat(name)).conversation.messages for name in ("chat-1", "chat-2")}
        link, started = chat.pilot.app.link, asyncio.Event()  # type: ignore[attr-defined]
        engine = link.engine

        async def starting(model: str | None = None) -> Any:
            await started.wait()
            return await engine(model)

        monkeypatch.setattr(link, "engine", starting)
        chat.screen.on_message_box_recalled()
        box = chat.box
        box.put("edited")
        await chat.pilot.press("enter")
        chat.screen.open_talk("chat-1")
        started.set()
        await chat.pilot.app.workers.wait_for_complete()
        await chat.pilot.pause()
        assert isinstance(chat.pilot.app.screen, ErrorDialog) and box.text == "edited"
        assert chats == {name: ChatLog(session.chat(name)).conversation.messages for name in chats}
