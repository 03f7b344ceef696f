"""The chat screen: messages sent, stopped, edited, answered anew, beside the unsteered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.events import Key

from benchmarks.synthetic import HOSTILE
from dct_tui.engine.messages import Reply
from dct_tui.errors import DctError
from dct_tui.screens.dialogs import ErrorDialog
from dct_tui.screens.help import HelpScreen
from dct_tui.screens.widgets.message_box import MessageBox
from dct_tui.screens.widgets.transcript import Transcript
from dct_tui.sessions import Session
from dct_tui.sessions.chats import ChatLog, ChatMessage, ChatSettings
from tests.engine.scripted import ScriptedEngine
from tests.screens.chat_app import STEERED, Speaker, chat_session, chatting
from tests.screens.triage_app import until

UNWANTED = set("\x1b\x07\x9b\x90\u202e\u2066\r\x00\x7f")


@pytest.fixture
def session(home: Path) -> Session:
    return chat_session(home)


@pytest.fixture
def speaker() -> Speaker:
    return Speaker()


async def test_a_message_and_its_reply(session: Session, speaker: Speaker) -> None:
    async with chatting(session, speaker) as chat:
        assert "Write a message" in chat.text
        await chat.say("who are you?")
        assert "› who are you?" in chat.text and "hello there." in chat.text and "· no feature" in chat.text
        assert chat.box.text == ""
        assert [message.content for message in chat.messages()] == ["who are you?", "hello there."]
        (request,) = chat.asked
        assert request.text is None and request.rack == () and request.sampling.max_new_tokens == 256


async def test_the_message_is_kept_before_an_engine_is_there(session: Session) -> None:
    def none(request: Reply, tell: Any) -> Any:
        raise AssertionError

    async with chatting(session, none) as chat:

        async def refuse(model: str | None) -> ScriptedEngine:
            raise DctError("the engine did not start", "see its log")

        chat.pilot.app.link._engine_for = refuse  # type: ignore[attr-defined]
        await chat.say("who are you?")
        assert [message.content for message in chat.messages()] == ["who are you?"]
        assert "no reply: the engine did not start → see its log" in chat.text and "ctrl+r asks again" in chat.text


async def test_an_engine_that_dies_leaves_the_message_to_be_answered_anew(session: Session, speaker: Speaker) -> None:
    async with chatting(session, speaker) as chat:
        speaker.gate.clear()
        await chat.say("who are you?")
        dead = chat.engine
        journal = session.chat("chat-1").path
        before = journal.read_bytes()
        dead.die()
        await chat.pilot.pause()
        journal.write_bytes(before)  # A process that is killed writes nothing more.
        chat.screen.talk.log = ChatLog(session.chat("chat-1"))
        chat.screen._show()
        assert "no reply: the engine has ended" in chat.text
        speaker.gate.set()
        fresh = ScriptedEngine({Reply: speaker})

        async def engine_for(model: str | None) -> ScriptedEngine:
            return fresh

        chat.pilot.app.link._engine_for = engine_for  # type: ignore[attr-defined]
        await chat.pilot.press("ctrl+r")
        await chat.pilot.pause()
        assert "hello there." in chat.text and "no reply" not in chat.text
        assert [message.role for message in chat.messages()] == ["user", "assistant"]


@pytest.mark.parametrize("key", ["ctrl+x", "escape"])
async def test_a_stopped_reply_stays_as_far_as_it_went(session: Session, speaker: Speaker, key: str) -> None:
    async with chatting(session, speaker) as chat:
        speaker.gate.clear()
        await chat.say("who are you?")
        assert "hello" in chat.text and "there." not in chat.text
        assert "ctrl+x stops" in chat.next
        await chat.say("too early")
        assert isinstance(chat.pilot.app.screen, ErrorDialog)
        await chat.pilot.press("enter")
        assert chat.box.text == "too early"
        await chat.pilot.press(key)
        await chat.pilot.pause()
        assert "■ stopped" in chat.text and "stops" not in chat.next
        assert chat.messages()[1].stopped and chat.messages()[1].content == "hello "
        assert len(chat.engine.cancelled) == 1


@pytest.mark.parametrize(("size", "beside"), [((120, 40), True), ((80, 24), False)])
async def test_beside_the_unsteered(session: Session, speaker: Speaker, size: tuple[int, int], beside: bool) -> None:
    async with chatting(session, speaker, STEERED, size=size) as chat:
        await chat.pilot.press("ctrl+t")
        assert "beside unsteered" in chat.next
        speaker.gate.clear()
        await chat.say("who are you?")
        assert "arr," in chat.text and "hello" in chat.text
        speaker.gate.set()
        await chat.pilot.pause()
        together = [line for line in chat.text.splitlines() if "arr, matey!" in line and "hello there." in line]
        assert bool(together) is beside
        assert "┄ unsteered" in chat.text or beside
        assert chat.messages()[1].unsteered == "hello there."
        await chat.pilot.press("ctrl+t")
        await chat.say("and now?")
        assert [request.compare for request in chat.asked] == [True, False]


async def test_with_nothing_in_force_there_is_nothing_to_compare(session: Session, speaker: Speaker) -> None:
    async with chatting(session, speaker) as chat:
        await chat.pilot.press("ctrl+t")
        await chat.say("hi")
        assert not chat.asked[0].compare


async def test_again_with_the_same_seed_and_with_another(session: Session, speaker: Speaker) -> None:
    ChatLog(session.chat("chat-1")).choose(ChatSettings(temperature=1.0, seed=5))
    async with chatting(session, speaker, STEERED) as chat:
        await chat.say("hi")
        assert "(seed 5)" in chat.text
        await chat.pilot.press("ctrl+l", "minus", "ctrl+r")
        await chat.pilot.pause()
        await chat.pilot.press("ctrl+g")
        await chat.pilot.pause()
        assert [request.sampling.seed for request in chat.asked] == [5, 5, 6]
        assert [str(request.rack[0]) for request in chat.asked] == ["2:+1", "2:+0.9", "2:+0.9"]
        assert [message.role for message in chat.messages()] == ["user", "assistant"]
        log = ChatLog(session.chat("chat-1"))
        assert [len(cut) for cut in log.conversation.cut_away] == [1, 1]


async def test_again_stops_what_is_being_written(session: Session, speaker: Speaker) -> None:
    async with chatting(session, speaker) as chat:
        speaker.gate.clear()
        await chat.say("hi")
        await chat.pilot.press("ctrl+r")
        await chat.pilot.pause()
        assert len(chat.asked) == 2 and "stopped" not in chat.text
        speaker.gate.set()
        await chat.pilot.pause()
        assert "hello there." in chat.text
        assert [message.stopped for message in chat.messages()] == [False, False]


async def test_another_seed_means_nothing_at_temperature_0(session: Session, speaker: Speaker) -> None:
    async with chatting(session, speaker) as chat:
        await chat.say("hi")
        await chat.pilot.press("ctrl+g")
        await chat.pilot.pause()
        assert isinstance(chat.pilot.app.screen, ErrorDialog) and len(chat.asked) == 1


async def test_an_edited_message_is_sent_in_place(session: Session, speaker: Speaker) -> None:
    async with chatting(session, speaker) as chat:
        await chat.say("one")
        await chat.say("two")
        await chat.pilot.press("up")
        assert chat.box.text == "two" and "editing" in chat.next
        await chat.pilot.press("escape")
        assert chat.box.text == "" and "editing" not in chat.next
        await chat.pilot.press("up")
        await chat.say("!")
        assert [message.content for message in chat.messages()] == ["one", "hello there.", "two!", "hello there."]
        assert "› two!" in chat.text and "› two\n" not in chat.text
        assert len(chat.asked) == 3


async def test_lines_and_pasted_lines_are_one_message(session: Session, speaker: Speaker) -> None:
    from textual.events import Paste

    async with chatting(session, speaker) as chat:
        await chat.type("a")
        await chat.pilot.press("ctrl+j")
        await chat.type("b")
        await chat.pilot.press("alt+enter")
        chat.pilot.app.post_message(Paste("c\r\nd\x1b[2J\re"))
        await chat.pilot.pause()
        assert chat.asked == [] and chat.box.size.height == 5
        await chat.pilot.press("enter")
        await chat.pilot.pause()
        assert chat.messages()[0].content == "a\nb\nc\nd\ufffd[2J\ne"
        assert len(chat.asked) == 1 and chat.box.size.height == 1


async def test_an_empty_message_is_not_sent(session: Session, speaker: Speaker) -> None:
    async with chatting(session, speaker) as chat:
        await chat.say("   ")
        assert chat.asked == [] and chat.messages() == []


async def test_the_box_can_be_left(session: Session, speaker: Speaker) -> None:
    async with chatting(session, speaker) as chat:
        await chat.pilot.press("3")
        assert chat.box.text == "3"
        await chat.pilot.press("escape")
        assert chat.screen.query_one(Transcript).has_focus
        await chat.pilot.press("escape")
        assert not chat.box.has_focus, "twice does not go back"
        await chat.pilot.press("enter")
        assert chat.box.has_focus
        await chat.pilot.press("shift+tab")
        assert not chat.box.has_focus


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_hostile_texts(session: Session, speaker: Speaker, size: tuple[int, int]) -> None:
    for place, text in enumerate(HOSTILE):
        log = ChatLog(session.chat(f"chat-{place}"))
        log.say(text)
        log.answer(ChatMessage(role="assistant", content=text, unsteered=text, rack=(STEERED,)))
    async with chatting(session, speaker, STEERED, size=size) as chat:
        await chat.pilot.press("ctrl+t")
        for place, text in enumerate(HOSTILE):
            speaker.steered = [text, text]
            chat.screen.open_talk(f"chat-{place}")
            await chat.say("hi")
            await chat.pilot.press("up")
            strips = chat.screen._compositor.render_strips()
            assert all(strip.cell_length == size[0] for strip in strips), text
            assert not UNWANTED & {char for strip in strips for char in strip.text}, text
            await chat.pilot.press("escape")
        await chat.pilot.press("ctrl+o")
        await chat.pilot.pause()
        strips = chat.pilot.app.screen._compositor.render_strips()
        assert not UNWANTED & {char for strip in strips for char in strip.text}


async def test_in_an_empty_box_a_question_mark_asks_for_help(session: Session, speaker: Speaker) -> None:
    async with chatting(session, speaker) as chat:
        await chat.pilot.press("question_mark")
        assert isinstance(chat.pilot.app.screen, HelpScreen)
        await chat.pilot.press("escape", "a", "question_mark")
        assert chat.box.text == "a?"


async def test_what_is_typed_in_one_piece_is_one_message(session: Session, speaker: Speaker) -> None:
    async with chatting(session, speaker) as chat:
        for char in "one two":
            chat.pilot.app.post_message(Key(char, char))
        for key in ("ctrl+j", "x", "enter", "y"):
            chat.pilot.app.post_message(Key(key, key if len(key) == 1 else None))
        await until(chat.pilot, lambda: chat.messages() and chat.box.text)
        assert chat.messages()[0].content == "one two\nx"
        assert chat.box.text == "y"


async def test_a_message_that_cannot_be_sent_is_given_back(session: Session, speaker: Speaker) -> None:
    async with chatting(session, speaker) as chat:
        await chat.type("lost?")
        session.path.rename(session.path.with_name("elsewhere"))
        for key in ("enter", "!"):
            chat.pilot.app.post_message(Key(key, key if len(key) == 1 else None))
        await until(chat.pilot, lambda: isinstance(chat.pilot.app.screen, ErrorDialog))
        box = chat.pilot.app.screen_stack[-2].query_one(MessageBox)
        await until(chat.pilot, lambda: "lost?" in box.text)
        session.path.with_name("elsewhere").rename(session.path)
