"""Chats: what events lead to, old records, and what survives a writer that dies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dct_tui.sessions import Session
from dct_tui.sessions.chats import ChatLog, ChatMessage, ChatSettings, Conversation, list_chats, new_chat_name
from dct_tui.sessions.rack import RackEntry


def reply(text: str, **more: Any) -> ChatMessage:
    return ChatMessage(role="assistant", content=text, at="2026-01-01T00:00:00.000Z", **more)


def said(log: ChatLog) -> list[str]:
    return [message.content for message in log.conversation.messages]


def test_what_is_said_is_there_again(session: Session) -> None:
    log = ChatLog(session.chat("one"))
    answer = reply(
        "Hello.",
        rack=(RackEntry(features=(3, 4), strength=-0.5), RackEntry(features=(1,), mode="ablate output", layers=(2, 3))),
        settings=ChatSettings(system="Be brief.", temperature=0.7, seed=3, compare=True),
        ended=False,
        stopped=True,
        unsteered="Hi!",
    )
    log.say("Hi")
    assert ChatLog(session.chat("one")).conversation.unanswered
    log.answer(answer)
    again = ChatLog(session.chat("one")).conversation
    assert again.messages == log.conversation.messages
    assert again.messages[1] == answer and not again.unanswered


def test_a_cut_keeps_what_was_cut(session: Session) -> None:
    log = ChatLog(session.chat("one"))
    for text in ("one", "two"):
        log.say(text)
        log.answer(reply(text.upper()))
    log.cut(3)
    log.answer(reply("Two again"))
    log.cut(0)
    log.say("other")
    assert said(log) == ["other"]
    read = ChatLog(session.chat("one"))
    assert said(read) == ["other"]
    assert [[m.content for m in cut] for cut in read.conversation.cut_away] == [
        ["TWO"],
        ["one", "ONE", "two", "Two again"],
    ]


def test_another_reader_follows(session: Session) -> None:
    writer, reader = ChatLog(session.chat("one")), ChatLog(session.chat("one"))
    assert not reader.poll()
    writer.say("Hi")
    assert reader.poll() and said(reader) == ["Hi"]
    assert not reader.poll()
    writer.answer(reply("Hello"))
    writer.cut(1)
    assert reader.poll() and said(reader) == ["Hi"]


def test_two_writers_see_each_other(session: Session) -> None:
    person, engine = ChatLog(session.chat("one")), ChatLog(session.chat("one"))
    person.say("Hi")
    engine.answer(reply("Hello"))
    assert said(engine) == ["Hi", "Hello"]
    person.say("And?")
    assert said(person) == ["Hi", "Hello", "And?"]


def test_settings_stand_until_others_are_chosen(session: Session) -> None:
    log = ChatLog(session.chat("one"))
    chosen = ChatSettings(temperature=1.0, system="")
    log.choose(chosen)
    log.say("Hi")
    log.answer(reply("Hello", settings=ChatSettings(seed=5)))
    assert ChatLog(session.chat("one")).conversation.settings == chosen


def test_old_records_are_read() -> None:
    setting = ["1:+2", "mean(2,3):-1.5", "40:u (writes, all layers)", "mean(0,3):v (stream, layers 2,3)", "?"]
    events = [
        {"role": "user", "content": "Hi", "setting": setting, "seed": 7},
        {"role": "assistant", "content": "Hello", "setting": setting, "seed": 7},
    ]
    user, assistant = Conversation(events).messages
    assert (user.content, assistant.content, assistant.settings.seed) == ("Hi", "Hello", 7)
    assert assistant.rack == (
        RackEntry(features=(1,), strength=2.0),
        RackEntry(features=(2, 3), strength=-1.5),
        RackEntry(features=(40,), mode="ablate output"),
        RackEntry(features=(0, 3), mode="ablate input", kind="stream", layers=(2, 3)),
    )


@pytest.mark.parametrize(
    "line",
    [
        '{"role": "system", "content": "x"}',
        '{"role": "user"}',
        '{"role": "user", "content": 3}',
        '{"role": "assistant", "content": "x", "rack": [{"features": "all"}]}',
        '{"role": "user", "content": "x", "setting": "1:+1", "seed": "x"}',
        '{"keep": -1}',
        '{"keep": 9}',
        '{"keep": "1"}',
        '{"settings": {"seed": "x"}}',
        "{}",
        '{"role": "user", "conte',
    ],
)
def test_a_spoilt_event_changes_nothing(session: Session, line: str) -> None:
    log = ChatLog(session.chat("one"))
    log.say("Hi")
    with log.journal.path.open("a") as file:  # type: ignore[union-attr]
        file.write(line + "\n")
    log = ChatLog(session.chat("one"))
    log.answer(reply("Hello"))
    assert said(log) == ["Hi", "Hello"] == said(ChatLog(session.chat("one")))
    assert log.conversation.settings == ChatSettings()


def test_a_torn_last_line_is_dropped_and_the_chat_goes_on(session: Session) -> None:
    log = ChatLog(session.chat("one"))
    log.say("Hi")
    with log.journal.path.open("a") as file:  # type: ignore[union-attr]
        file.write(json.dumps({"role": "assistant", "content": "half"})[:-3])
    assert not log.poll()
    log.answer(reply("Hello"))
    assert said(log) == ["Hi", "Hello"] == said(ChatLog(session.chat("one")))


def test_messages_in_a_row_are_one_to_the_model() -> None:
    log = ChatLog()
    for text in ("one", "two"):
        log.say(text)
    log.answer(reply("three"))
    log.say("four")
    assert log.conversation.history() == [
        {"role": "user", "content": "one\n\ntwo"},
        {"role": "assistant", "content": "three"},
        {"role": "user", "content": "four"},
    ]


def test_a_chat_that_cannot_be_read_hides_no_other(session: Session) -> None:
    ChatLog(session.chat("b")).say("hello")
    (session.path / "chats" / "a.jsonl").mkdir()
    good, bad = list_chats(session)
    assert (good.name, good.problem, bad.name) == ("b", "", "a") and bad.problem


def test_chats_are_listed_newest_first(session: Session) -> None:
    assert list_chats(session) == [] and new_chat_name(session) == "chat-1"
    older, newer = ChatLog(session.chat("chat-1")), ChatLog(session.chat("b"))
    older.journal.append({"role": "user", "content": "first\nline", "at": "2026-01-01T00:00:00.000Z"})  # type: ignore[union-attr]
    newer.say("later")
    newer.answer(reply("x"))
    newer.say("last")
    assert [(chat.name, chat.first, chat.turns) for chat in list_chats(session)] == [
        ("b", "later", 2),
        ("chat-1", "first\nline", 1),
    ]
    assert new_chat_name(session) == "chat-2"
