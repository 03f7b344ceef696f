"""The chat screen against an engine that is told what to say: sending, stopping, editing, the rack, coming back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from benchmarks.synthetic import HOSTILE, Size, make_session
from dct_tui.engine.messages import JobState, Reply
from dct_tui.errors import DctError
from dct_tui.screens.app import Workbench
from dct_tui.screens.chat import ChatScreen
from dct_tui.screens.chat_rack import ChatRack
from dct_tui.screens.chat_words import parse_additions
from dct_tui.screens.dialogs import ErrorDialog
from dct_tui.screens.widgets.changing_lines import ChangingLines
from dct_tui.screens.widgets.message_box import MessageBox
from dct_tui.screens.widgets.transcript import Transcript
from dct_tui.sessions import Mark, Session
from dct_tui.sessions.chats import ChatLog, ChatMessage, ChatSettings
from dct_tui.sessions.rack import RackEntry
from tests.engine.scripted import IDLE, ScriptedEngine

SMALL = Size(factors=16, width=8, sampled=0)


@dataclass
class Speaker:
    """An engine that answers in a session as a real one does.

    Attributes:
        steered: what it says, in pieces; without a rack, or beside it, `plain`.
        gate: it waits here before the last piece.
    """

    steered: list[str] = field(default_factory=lambda: ["arr, ", "matey!"])
    plain: list[str] = field(default_factory=lambda: ["hello ", "there."])
    ended: bool = True
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def __call__(self, request: Reply, tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        said = {"steered": self.steered if request.rack else self.plain}
        if request.compare:
            said["unsteered"] = self.plain
        told = dict.fromkeys(said, "")
        stopped = True
        try:
            for last in (False, True):
                for side, pieces in said.items():
                    text = pieces[-1] if last else "".join(pieces[:-1])
                    tell({"side": side, "text": text})
                    told[side] += text
                if not last:
                    await self.gate.wait()
            stopped = False
        finally:
            drawn = request.sampling
            settings = ChatSettings(
                system=request.system, temperature=drawn.temperature, seed=drawn.seed, compare=request.compare
            )
            log_of(request).answer(
                ChatMessage(
                    role="assistant",
                    content=told["steered"],
                    at="2026-01-01T00:00:00.000Z",
                    rack=request.rack,
                    settings=settings,
                    ended=self.ended and not stopped,
                    stopped=stopped,
                    unsteered=told.get("unsteered"),
                )
            )
        return {"text": told["steered"], "unsteered": told.get("unsteered"), "ended": self.ended}


def log_of(request: Reply) -> ChatLog:
    return ChatLog(Session.open(Path(request.session)).chat(request.chat))


@dataclass
class Chat:
    """The screen, and what can be seen on it."""

    pilot: Pilot[None]
    engine: ScriptedEngine
    session: Session

    @property
    def screen(self) -> ChatScreen:
        screen = self.pilot.app.screen
        assert isinstance(screen, ChatScreen), screen
        return screen

    @property
    def text(self) -> str:
        return self.screen.query_one(Transcript).text

    @property
    def next(self) -> str:
        return "".join(text for text, _ in self.screen.query_one("#next", ChangingLines).lines[0])

    @property
    def box(self) -> MessageBox:
        return self.screen.query_one(MessageBox)

    @property
    def rack(self) -> ChatRack:
        return self.screen.query_one(ChatRack)

    @property
    def asked(self) -> list[Reply]:
        return self.engine.asked(Reply)

    def messages(self, name: str = "chat-1") -> list[ChatMessage]:
        return ChatLog(self.session.chat(name)).conversation.messages

    async def type(self, text: str) -> None:
        await self.pilot.press(*("space" if char == " " else char for char in text))

    async def say(self, text: str) -> None:
        await self.type(text)
        await self.pilot.press("enter")
        await self.pilot.pause()


@pytest.fixture
def session(home: Path) -> Session:
    make_session(home / "sessions" / "one", SMALL)
    return Session.open(home / "sessions" / "one")


@pytest.fixture
def speaker() -> Speaker:
    return Speaker()


@asynccontextmanager
async def chatting(
    session: Session,
    reply: Any,
    *rack: RackEntry,
    size: tuple[int, int] = (120, 40),
    engine: ScriptedEngine | None = None,
) -> AsyncIterator[Chat]:
    engine = engine or ScriptedEngine({Reply: reply})

    async def engine_for(model: str | None) -> ScriptedEngine:
        return engine

    async def find() -> list[ScriptedEngine]:
        return [engine] if engine.state is not IDLE else []

    app = Workbench(engine_for, find=find)
    async with app.run_test(size=size) as pilot:
        await app.open_session(session.path, "chat")
        app.opened().rack = rack
        await pilot.pause()
        chat = Chat(pilot, engine, session)
        chat.screen.pulse()
        yield chat


STEERED = RackEntry(features=(2,))
UNWANTED = set("\x1b\x07\x9b\x90\u202e\u2066\r\x00\x7f")


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


async def test_the_setting_of_each_reply_is_marked_and_history_stays(session: Session, speaker: Speaker) -> None:
    off = RackEntry(features=(7,), on=False)
    async with chatting(session, speaker, STEERED, off) as chat:
        await chat.say("one")
        assert "· 2:+1\n" in chat.text
        await chat.pilot.press("ctrl+l", "plus", "plus", "greater_than_sign", "ctrl+l")
        await chat.say("two")
        assert "◆ now 2:+1.7" in chat.text
        await chat.pilot.press("ctrl+l", "b", "ctrl+l")
        assert "rack bypassed" in chat.next
        await chat.say("three")
        assert "◆ now no feature" in chat.text
        assert [request.rack for request in chat.asked] == [(STEERED,), (RackEntry(features=(2,), strength=1.7),), ()]
        assert [m.content for m in chat.messages()] == [
            "one",
            "arr, matey!",
            "two",
            "arr, matey!",
            "three",
            "hello there.",
        ]


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


async def test_a_reply_that_went_on_without_us_is_there(session: Session, speaker: Speaker) -> None:
    log = ChatLog(session.chat("chat-1"))
    log.say("hi")
    busy = ScriptedEngine({Reply: speaker})
    busy.say(jobs=(JobState(id=1, do="reply", session=str(session.path), state="running"),))
    async with chatting(session, speaker, engine=busy) as chat:
        await chat.pilot.pause()
        chat.screen.pulse()
        assert "a reply is being written" in chat.text
        await chat.pilot.press("ctrl+r")
        await chat.pilot.pause()
        assert isinstance(chat.pilot.app.screen, ErrorDialog) and chat.asked == []
        await chat.pilot.press("enter")
        log.answer(ChatMessage(role="assistant", content="at last"))
        busy.say(jobs=())
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


@pytest.mark.parametrize(("steered", "ended"), [(["arr " * 40, "."], True), (["arr ", "and on"], False)])
async def test_a_reply_that_falls_apart_has_a_hint(
    session: Session, speaker: Speaker, steered: list[str], ended: bool
) -> None:
    speaker.steered, speaker.ended = steered, ended
    async with chatting(session, speaker, STEERED) as chat:
        await chat.pilot.press("ctrl+t")
        await chat.say("hi")
        assert "too strong?" in chat.text
        speaker.steered, speaker.ended = ["fine", "."], True
        await chat.say("and now?")
        assert "too strong?" not in chat.text


async def test_settings_are_asked_for_kept_and_sent(session: Session, speaker: Speaker) -> None:
    async with chatting(session, speaker) as chat:
        await chat.pilot.press("f2")
        await chat.pilot.pause()
        await chat.pilot.press("enter")
        await chat.pilot.pause()
        await chat.pilot.press("home", "shift+end", "0", "full_stop", "7", "enter")
        await chat.pilot.pause()
        await chat.pilot.press("G", "enter")
        await chat.pilot.pause()
        await chat.type("Be brief.")
        await chat.pilot.press("ctrl+j")
        await chat.type("Be kind.")
        await chat.pilot.press("enter")
        await chat.pilot.pause()
        await chat.pilot.press("q")
        await chat.pilot.pause()
        assert "temperature 0.7, seed 0" in chat.next and "own system prompt" in chat.next
        await chat.say("hi")
        assert chat.asked[0].system == "Be brief.\nBe kind." and chat.asked[0].sampling.temperature == 0.7
    async with chatting(session, speaker) as chat:
        assert "temperature 0.7" in chat.next
        await chat.pilot.press("ctrl+n")
        assert "temperature 0.7" in chat.next


async def test_features_are_added_by_number_and_from_the_marks(session: Session, speaker: Speaker) -> None:
    for feature in (5, 9):
        session.marks.append(Mark("star", (feature,)).encode())
    async with chatting(session, speaker, STEERED) as chat:
        await chat.pilot.press("ctrl+l", "n")
        await chat.pilot.pause()
        await chat.type("99")
        await chat.pilot.press("enter")
        await chat.pilot.pause()
        assert not isinstance(chat.pilot.app.screen, ChatScreen), "it says that there is no feature 99"
        await chat.pilot.press("backspace", "backspace")
        await chat.type("2 starred mean(starred):-0.5 3:u")
        await chat.pilot.press("enter")
        await chat.pilot.pause()
        words = ["2:+1", "5:+1", "9:+1", "mean(5,9):-0.5", "3:u"]
        assert [str(entry) for entry in chat.rack.entries] == words
        assert [str(entry) for entry in chat.pilot.app.opened().rack] == words  # type: ignore[attr-defined]
        await chat.pilot.press("enter")
        await chat.pilot.pause()
        await chat.pilot.press("home", "shift+end", "4", "enter")
        await chat.pilot.pause()
        assert str(chat.rack.entries[-1]) == "4:+1"


async def test_what_the_features_screen_adds_appears(session: Session, speaker: Speaker) -> None:
    async with chatting(session, speaker) as chat:
        chat.pilot.app.opened().add_to_rack(3)  # type: ignore[attr-defined]
        chat.screen.pulse()
        assert [str(entry) for entry in chat.rack.entries] == ["3:+1"] and "3:+1" in chat.next


async def test_the_rack_says_what_a_feature_promotes(session: Session, speaker: Speaker) -> None:
    words = {record["index"]: record["words"][0] for record in session.read_features()}
    async with chatting(session, speaker, STEERED, RackEntry(features=(3,))) as chat:
        rows = [chat.rack.render_line(y).text for y in (1, 2)]
        assert words[2] in rows[0] and words[3] in rows[1]


async def test_the_rack_is_a_drawer_at_80_columns(session: Session, speaker: Speaker) -> None:
    async with chatting(session, speaker, STEERED, size=(80, 24)) as chat:
        assert not chat.rack.display and chat.screen.query_one(Transcript).size.width >= 78
        await chat.pilot.press("ctrl+l")
        assert chat.rack.display and chat.rack.has_focus
        await chat.pilot.press("plus", "ctrl+l")
        assert not chat.rack.display and chat.box.has_focus
        assert "2:+1.1" in chat.next
        await chat.pilot.resize_terminal(120, 40)
        await chat.pilot.pause()
        assert chat.rack.display


async def test_the_box_can_be_left(session: Session, speaker: Speaker) -> None:
    async with chatting(session, speaker) as chat:
        await chat.pilot.press("3")
        assert chat.box.text == "3"
        await chat.pilot.press("escape")
        assert chat.screen.query_one(Transcript).has_focus
        await chat.pilot.press("escape")
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


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("12", ["12:+1"]),
        (" 3  4:-.5 ", ["3:+1", "4:-0.5"]),
        ("mean(3, 4):+2 5:v", ["mean(3,4):+2", "5:v"]),
        ("selected", ["1:+1", "2:+1"]),
        ("mean(selected):u", ["mean(1,2):u"]),
    ],
)
def test_additions(text: str, entries: list[str]) -> None:
    assert [str(entry) for entry in parse_additions(text, 16, (), (2, 1))] == entries


@pytest.mark.parametrize("text", ["", "starred", "mean(starred)", "16", "mean(3,99)", "x", "selected:x", "3:"])
def test_what_cannot_be_added(text: str) -> None:
    with pytest.raises(DctError):
        parse_additions(text, 16, (), (2, 1))
