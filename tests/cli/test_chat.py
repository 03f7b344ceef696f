from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from dct_tui.api import open_model
from dct_tui.jobs.chat_job import start_chat
from dct_tui.models import generation
from dct_tui.models.generation import Sampling
from dct_tui.sessions import Session
from dct_tui.sessions.chats import ChatLog, ChatMessage
from dct_tui.sessions.rack import parse_steer

SHORT = ("--max-new-tokens", 8)


def kept(session: Path, name: str) -> list[ChatMessage]:
    return ChatLog(Session.open(session).chat(name)).conversation.messages


def lines_of(outcome: Any) -> list[Any]:
    assert outcome.code == 0, outcome.err
    return outcome.json


def test_lines_in_replies_out(dct: Any, fitted: Path) -> None:
    shown = dct("chat", "fitted", *SHORT, stdin="Hello\n\nAnd now?\n")
    told = lines_of(dct("chat", "fitted", *SHORT, "--json", stdin="Hello\n\nAnd now?"))
    assert shown.code == 0 and shown.err == ""
    assert [line["prompt"] for line in told] == ["Hello", "And now?"]
    assert dct("chat", "fitted", stdin="").out == ""


def test_every_intervention_changes_the_reply(dct: Any, fitted: Path) -> None:
    racks = [
        (),
        ("--steer", "1:+2.0"),
        ("--steer", "1:-2.0"),
        ("--steer", "1:+2.0 mean(2, 3):-1.5"),
        ("--ablate", "1:u"),
        ("--ablate", "mean(0,3):v"),
        ("--ablate", "1:u", "--ablation", "stream"),
        ("--ablate", "1:u", "--ablation", "stream", "--layers", "2-4"),
        ("--ablate", "1:u", "--steer", "2:1.5"),
    ]
    replies = [
        lines_of(dct("chat", "fitted", "--max-new-tokens", 24, "--json", *rack, stdin="Tell me of the sea.\n"))[0][
            "text"
        ]
        for rack in racks
    ]
    assert len(set(replies)) == len(racks)
    words = ("--steer", "1:+2.0", "--steer", "mean(2,3):-1.5")
    again = dct("chat", "fitted", "--max-new-tokens", 24, "--json", *words, stdin="Tell me of the sea.\n")
    assert lines_of(again)[0]["text"] == replies[3]


def test_a_named_chat_is_kept_and_gone_on_with(dct: Any, fitted: Path) -> None:
    at_once = lines_of(dct("chat", "fitted", *SHORT, "--json", "--system", "Be brief.", stdin="One\nTwo\n"))
    options = ("--name", "mine", "--steer", "1:0", "--system", "Be brief.", *SHORT, "--json")
    first = lines_of(dct("chat", "fitted", *options, stdin="One\n"))
    second = lines_of(dct("chat", "fitted", *options, stdin="Two\n"))
    assert [*first, *second] == at_once
    turns = kept(fitted, "mine")
    assert [turn.role for turn in turns] == ["user", "assistant"] * 2
    assert [str(entry) for entry in turns[1].rack] == ["1:+0"]
    assert turns[1].settings.system == "Be brief." and turns[1].settings.max_new_tokens == 8
    assert turns[3].content == at_once[1]["text"]


def test_a_conversation_that_fills_the_context(dct: Any, fitted: Path) -> None:
    done = dct("chat", "fitted", *SHORT, "--json", "--name", "long", stdin=f"Hi\n{'x' * 190}\n")
    assert done.code == 2
    assert "context of 200" in done.err and "start a new chat" in done.err and len(done.err.splitlines()) == 1
    assert len(done.json) == 1
    assert [turn.content for turn in kept(fitted, "long")] == ["Hi", done.json[0]["text"]]


def test_two_do_not_keep_chats_at_once(dct: Any, fitted: Path) -> None:
    with Session.open(fitted).writing("chats"):
        assert "is being written by" in dct("chat", "fitted", "--name", "mine", stdin="Hi\n").complaint


def test_others_keep_chats_while_a_line_is_waited_for(dct: Any, fitted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lines() -> Iterator[str]:
        yield "One"
        session = Session.open(fitted)
        with session.writing("chats"):
            log = ChatLog(session.chat("mine"))
            log.say("Aside")
            log.answer(ChatMessage(role="assistant", content="noted"))
        yield "Two"

    waited_for = lines()

    def wait(prompt: str) -> str:
        for line in waited_for:
            return line
        raise EOFError

    monkeypatch.setattr("builtins.input", wait)
    told = lines_of(dct("chat", "fitted", "--name", "mine", *SHORT, "--json"))
    said = [turn.content for turn in kept(fitted, "mine")]
    assert said == ["One", told[0]["text"], "Aside", "noted", "Two", told[1]["text"]]


@pytest.fixture
def scripted(fitted: Path, llama: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A chat in which the model writes what the test says."""

    def chat_that_writes(text: str) -> Any:
        lm = open_model(str(llama))
        ids = lm.tokenizer(text, add_special_tokens=False)["input_ids"] + [lm.tokenizer.eos_token_id]
        tokens = iter([generation.Token(0, token, token == lm.tokenizer.eos_token_id) for token in ids])
        monkeypatch.setattr("dct_tui.jobs.chat_job.stream", lambda *a, **k: tokens)
        return start_chat(lm, Session.open(fitted), [parse_steer("1:1")], Sampling())

    return chat_that_writes


@pytest.mark.parametrize("text", ["plain words", "café ☂ 日本 🐛", "two  spaces\n\nand lines", "\x1b[31mred\x07", ""])
def test_pieces_are_the_reply(scripted: Any, text: str) -> None:
    talk = scripted(text)
    pieces = list(talk.say("Hello"))
    assert "".join(pieces) == talk.messages[-1].content == text
    assert not any("\ufffd" in piece for piece in pieces)


def test_escape_sequences_do_not_reach_the_terminal(
    dct: Any, fitted: Path, scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = scripted("\x1b]0;title\x07\x1b[2J\u202egnp.exe")
    monkeypatch.setattr("dct_tui.jobs.chat_job.start_chat", lambda *a, **k: talk)
    done = dct("chat", "fitted", stdin="Hello\n")
    assert done.code == 0
    assert not set("\x1b\x07\u202e") & set(done.out)
    assert "title" in done.out and done.out.count("�") == 4


def test_a_stopped_reply_is_kept_as_far_as_it_went(scripted: Any) -> None:
    talk = scripted("never told to the end")
    stream = talk.say("Hello")
    said = next(stream) + next(stream)
    stream.close()
    assert [(message.role, message.content) for message in talk.messages] == [("user", "Hello"), ("assistant", said)]
    assert talk.messages[-1].stopped and not talk.messages[-1].ended


def test_a_message_without_a_reply_is_taken_back(scripted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = scripted("words")
    before = list(talk.messages)

    def no_memory(*a: object, **k: object) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate much")

    monkeypatch.setattr("dct_tui.jobs.chat_job.stream", no_memory)
    with pytest.raises(Exception, match="memory of the device"):
        list(talk.say("Hello"))
    assert talk.messages == before
