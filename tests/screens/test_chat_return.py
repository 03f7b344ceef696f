"""Chats of a session: which is open, what goes on without the screen, and what is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dct_tui.engine.answers import JobState
from dct_tui.engine.errors import Cancelled
from dct_tui.engine.messages import Reply, StopJob, Watch
from dct_tui.errors import DctError
from dct_tui.screens.chat_talk import Talk
from dct_tui.screens.chat_words import waiting_words
from dct_tui.screens.dialogs import ErrorDialog
from dct_tui.sessions import Session
from dct_tui.sessions.chats import ChatLog, ChatMessage
from tests.engine.scripted import IDLE, ScriptedEngine
from tests.screens.chat_app import STEERED, Speaker, chat_session, chatting


@pytest.fixture
def session(home: Path) -> Session:
    return chat_session(home)


@pytest.fixture
def speaker() -> Speaker:
    return Speaker()


async def test_chats_of_the_session(session: Session, speaker: Speaker) -> None:
    async with chatting(session, speaker) as chat:
        await chat.say("first chat")
        await chat.pilot.press("ctrl+n")
        assert "Write a message" in chat.text
        await chat.say("second chat")
        assert [m.content for m in chat.messages("chat-2")] == ["second chat", "hello there."]
        await chat.pilot.press("ctrl+o")
        await chat.pilot.pause()
        await chat.pilot.press("j", "enter")
        await chat.pilot.pause()
        assert "› first chat" in chat.text and "second" not in chat.text
        await chat.say("more")
        assert [m.content for m in chat.messages()] == ["first chat", "hello there.", "more", "hello there."]


async def test_a_reply_goes_on_while_another_chat_is_open(session: Session, speaker: Speaker) -> None:
    async with chatting(session, speaker) as chat:
        speaker.gate.clear()
        await chat.say("slow one")
        await chat.pilot.press("ctrl+n")
        speaker.gate.set()
        await chat.pilot.pause()
        assert "hello" not in chat.text
        chat.screen.open_talk("chat-1")
        assert "hello there." in chat.text


async def test_the_chat_written_to_last_is_there_again(session: Session, speaker: Speaker) -> None:
    async with chatting(session, speaker, STEERED) as chat:
        await chat.say("hi")
    async with chatting(session, speaker, STEERED) as chat:
        assert "› hi" in chat.text and "arr, matey!" in chat.text and "· 2:+1" in chat.text


def replying(session: Session, chat: str, watch: Any, speaker: Speaker) -> ScriptedEngine:
    """An engine in the midst of a reply that nobody here has asked for."""
    busy = ScriptedEngine({Reply: speaker, Watch: watch, StopJob: {}})
    busy.say(jobs=(JobState(id=7, do="reply", session=str(session.path), chat=chat, state="running"),))
    return busy


async def test_a_reply_that_goes_on_without_us_is_followed_and_stopped(session: Session, speaker: Speaker) -> None:
    log, gate = ChatLog(session.chat("chat-1")), asyncio.Event()
    log.say("hi")

    async def watch(request: Watch, tell: Callable[[dict[str, Any]], None]) -> None:
        assert request.job == 7
        tell({"rack": "2:+1", "compare": True})
        tell({"side": "steered", "text": "arr, "})
        tell({"side": "unsteered", "text": "hello "})
        await gate.wait()
        log.answer(ChatMessage(role="assistant", content="arr, ", stopped=True))
        raise Cancelled("it was stopped")

    async with chatting(session, speaker, engine=replying(session, "chat-1", watch, speaker)) as chat:
        await chat.pilot.pause()
        assert "arr," in chat.text and "hello" in chat.text and "2:+1" in chat.text
        await chat.pilot.press("escape")
        await chat.pilot.pause()
        assert chat.engine.asked(StopJob) == [StopJob(job=7)] and chat.asked == []
        gate.set()
        await chat.pilot.app.workers.wait_for_complete()
        await chat.pilot.pause()
        assert "stopped" in chat.text and "stopping" not in chat.next


async def test_a_reply_in_another_chat_is_not_taken_for_one_here(session: Session, speaker: Speaker) -> None:
    ChatLog(session.chat("chat-1")).say("hi")
    async with chatting(session, speaker, engine=replying(session, "chat-2", {}, speaker)) as chat:
        await chat.pilot.pause()
        assert "no reply was made" in chat.text and chat.engine.asked(Watch) == []


async def test_a_reply_that_the_command_line_writes_is_waited_for(session: Session, speaker: Speaker) -> None:
    log = ChatLog(session.chat("chat-1"))
    log.say("hi")
    with session.writing("chats"):
        async with chatting(session, speaker) as chat:
            assert "a reply is being written elsewhere" in chat.text
            await chat.pilot.press("ctrl+r")
            await chat.pilot.pause()
            assert isinstance(chat.pilot.app.screen, ErrorDialog) and chat.asked == []
            await chat.pilot.press("enter")
            log.answer(ChatMessage(role="assistant", content="at last"))
            chat.screen.pulse()
            assert "at last" in chat.text and "being written" not in chat.text


async def test_a_reply_that_nobody_makes_can_be_asked_for(session: Session, speaker: Speaker) -> None:
    ChatLog(session.chat("chat-1")).say("hi")
    async with chatting(session, speaker) as chat:
        assert "no reply was made: ctrl+r asks again" in chat.text
        await chat.pilot.press("ctrl+r")
        await chat.pilot.pause()
        assert "hello there." in chat.text
        assert [message.role for message in chat.messages()] == ["user", "assistant"]


async def test_what_is_waited_for_is_said(session: Session) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()

    async def load(request: Reply, tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        tell({"stage": "load", "part": "weights", "done": 3, "of": 4})
        begun.set()
        await gate.wait()
        raise DctError("m is gone", "restore it")

    async with chatting(session, load) as chat:
        await chat.say("hi")
        await begun.wait()
        await chat.pilot.pause()
        assert "opening the model: weights 75%" in chat.next
        chat.screen.talk.stage = ""
        chat.engine.say(model="m", jobs=(JobState(id=1, do="fit", state="running", note="12/25"),))
        chat.screen.pulse()
        assert "after a step of the fit that runs (12/25)" in chat.next
        gate.set()
        await chat.pilot.pause()
        assert "✗ no reply: m is gone → restore it" in chat.text


async def test_a_message_to_a_session_that_is_gone_stays_in_the_box(
    home: Path, session: Session, speaker: Speaker
) -> None:
    async with chatting(session, speaker) as chat:
        await chat.type("keep me")
        session.path.rename(home / "elsewhere")
        await chat.pilot.press("enter")
        await chat.pilot.pause()
        said = chat.pilot.app.screen
        assert isinstance(said, ErrorDialog) and "is gone" in said.message
        await chat.pilot.press("q")
        await chat.pilot.app.workers.wait_for_complete()
        await chat.pilot.press("q")  # the screen says so too, once
        await chat.pilot.pause()
        assert chat.box.text == "keep me" and not chat.asked
        with pytest.raises(DctError, match="is gone"):
            session.chat("chat-2")
        assert not session.path.exists()


def test_a_long_conversation_is_said_to_be_read_whole(session: Session) -> None:
    log = ChatLog(session.chat("chat-1"))
    log.say("hi")
    ready = replace(IDLE, model="m")
    talk = Talk(session, "chat-1")
    talk.live = {"steered": ""}
    assert waiting_words(talk, ready) == "reading…"
    log.answer(ChatMessage(role="assistant", content="hello"))
    log.say("more")
    talk.log.poll()
    assert waiting_words(talk, ready) == "reading the whole conversation…"
