"""The rack and the settings of a chat: marked in the transcript, kept, and asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from dct_tui.errors import DctError
from dct_tui.screens.chat import ChatScreen
from dct_tui.screens.chat_words import parse_additions
from dct_tui.screens.widgets.transcript import Transcript
from dct_tui.sessions import Mark, Session
from dct_tui.sessions.rack import RackEntry
from tests.screens.chat_app import STEERED, Speaker, chat_session, chatting


@pytest.fixture
def session(home: Path) -> Session:
    return chat_session(home)


@pytest.fixture
def speaker() -> Speaker:
    return Speaker()


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
