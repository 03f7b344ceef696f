"""Replies in a chat: against the generation loop alone, stopped, beside the unsteered, and without memory."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from dct_tui.errors import ContextFull, DctError
from dct_tui.jobs.chat_job import Piece, answer, start_chat
from dct_tui.jobs.reopen import read_transcoder
from dct_tui.models.generation import Row, Sampling, Token, complete
from dct_tui.models.interventions import Ablation, Intervention, Steering
from dct_tui.models.loading import LanguageModel
from dct_tui.models.templating import encode
from dct_tui.sessions import Session
from dct_tui.sessions.chats import ChatLog, ChatMessage
from dct_tui.sessions.rack import parse_entry

PROMPTS = ("Tell me of the sea.", "What is rain?", "Name a town.", "Where do birds go?")
SHORT = Sampling(max_new_tokens=12)
DRAWN = Sampling(max_new_tokens=12, temperature=1.0, top_p=0.9, seed=3)


class Stopped(KeyboardInterrupt):
    """As the engine stops a job."""


@pytest.fixture(scope="module")
def fitted_once(lm: LanguageModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from dct_tui.api import fit

    path = tmp_path_factory.mktemp("chats") / "fitted"
    return fit(lm, PROMPTS, system="Be.", session=path, source=2, target=4, factors=4, iterations=2, row_batch=8).path


@pytest.fixture
def session(fitted_once: Path, tmp_path: Path) -> Session:
    return Session.open(shutil.copytree(fitted_once, tmp_path / "fitted"))


def messages_of(session: Session) -> list[ChatMessage]:
    return ChatLog(session.chat("one")).conversation.messages


@pytest.fixture
def reply(lm: LanguageModel, session: Session) -> Callable[..., tuple[ChatMessage, list[Piece]]]:
    def ask(text: str | None, *rack: str, check: Callable[[], None] = lambda: None, **more: Any) -> Any:
        pieces: list[Piece] = []
        entries = [parse_entry(word) for word in rack]
        drawn, system = more.pop("sampling", SHORT), more.pop("system", None)
        chat = start_chat(lm, session, entries, drawn, system=system, log=ChatLog(session.chat("one")))
        return answer(chat, text, tell=pieces.append, check=check, **more), pieces

    return ask


def side(pieces: list[Piece], name: str) -> str:
    return "".join(piece.text for piece in pieces if piece.side == name)


def alone(lm: LanguageModel, conversation: list[tuple[str, str]], *done: Intervention, drawn: Sampling = SHORT) -> str:
    messages = [{"role": role, "content": content} for role, content in conversation]
    return complete(lm, [Row(encode(lm, messages), done)], drawn)[0].text


def test_both_sides_are_what_each_is_alone(lm: LanguageModel, session: Session, reply: Any) -> None:
    transcoder = read_transcoder(session)
    direction = transcoder.V[:, 1] / transcoder.V[:, 1].norm()
    done = (Steering(2.0 * transcoder.config.scale * direction, 2), Ablation(transcoder.U[:, 2]))
    opening = [("system", "Be."), ("user", "What is rain?")]
    message, pieces = reply("What is rain?", "1:+2", "2:u", sampling=DRAWN, compare=True)
    assert message.content == side(pieces, "steered") == alone(lm, opening, *done, drawn=DRAWN)
    assert message.unsteered == side(pieces, "unsteered") == alone(lm, opening, drawn=DRAWN)
    assert message.content != message.unsteered
    assert messages_of(session)[-1] == message
    assert message.settings.seed == 3 and message.settings.system == "Be." and not message.stopped


def test_the_steered_side_is_the_history_whatever_the_rack(lm: LanguageModel, reply: Any) -> None:
    first, _ = reply("One", "1:+2", compare=True)
    assert first.content != first.unsteered
    second, pieces = reply("Two", system="")
    expected = alone(lm, [("user", "One"), ("assistant", first.content), ("user", "Two")])
    assert second.content == side(pieces, "steered") == expected
    assert second.unsteered is None and side(pieces, "unsteered") == "" and second.rack == ()


def test_an_answer_made_anew_leaves_the_old_in_the_journal(session: Session, reply: Any) -> None:
    first, _ = reply("One", "1:+2", sampling=DRAWN)
    same, _ = reply(None, "1:+2", sampling=DRAWN, keep=1)
    other, _ = reply(None, "0:v", sampling=SHORT, keep=1)
    assert same.content == first.content != other.content
    log = ChatLog(session.chat("one"))
    assert [m.content for m in log.conversation.messages] == ["One", other.content]
    assert [m[0].content for m in log.conversation.cut_away] == [first.content, same.content]
    with pytest.raises(DctError, match="no message to answer"):
        reply(None)


def test_the_message_is_durable_before_the_first_token(session: Session, reply: Any) -> None:
    seen: list[list[str]] = []
    reply("One", check=lambda: seen.append([m.content for m in messages_of(session)]))
    assert seen[0] == ["One"] == seen[-1]


def test_a_stop_keeps_both_sides_as_far_as_they_went(session: Session, reply: Any) -> None:
    whole, _ = reply("One", "1:+2", compare=True)
    calls = iter(range(100))

    def stop() -> None:
        if next(calls) == 10:
            raise Stopped

    with pytest.raises(Stopped):
        reply(None, "1:+2", compare=True, keep=1, check=stop)
    kept = messages_of(session)[-1]
    assert kept.stopped and not kept.ended
    assert kept.content and whole.content.startswith(kept.content) and kept.content != whole.content
    assert kept.unsteered and whole.unsteered.startswith(kept.unsteered) and kept.unsteered != whole.unsteered


def test_a_message_that_cannot_be_answered_stays(session: Session, reply: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*a: object, **k: object) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate much")

    with monkeypatch.context() as patch:
        patch.setattr("dct_tui.jobs.chat_job.stream", no_memory)
        with pytest.raises(DctError, match="memory of the device"):
            reply("One")
    assert [m.content for m in messages_of(session)] == ["One"]
    message, _ = reply(None)
    assert [m.content for m in messages_of(session)] == ["One", message.content]


@pytest.mark.parametrize(
    "failure", [torch.OutOfMemoryError("CUDA out of memory"), DctError("gone", "look"), ValueError("odd")]
)
def test_what_was_shown_is_kept_when_the_model_fails(
    lm: LanguageModel, session: Session, reply: Any, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def breaks(*_: object, **__: object) -> Iterator[Token]:
        for id in lm.tokenizer("Rain is", add_special_tokens=False)["input_ids"]:
            yield Token(0, id, False)
        raise failure

    monkeypatch.setattr("dct_tui.jobs.chat_job.stream", breaks)
    with pytest.raises(DctError if isinstance(failure, RuntimeError) else type(failure)):
        reply("One")
    asked, kept = messages_of(session)
    assert asked.content == "One" and kept.content == "Rain is"
    assert kept.stopped and not kept.ended
    chat = start_chat(lm, session, [], SHORT, log=ChatLog(session.chat("two")))
    with pytest.raises(DctError if isinstance(failure, RuntimeError) else type(failure)):
        list(chat.say("Two"))
    assert [m.content for m in chat.messages] == ["Two", "Rain is"]


def test_what_fills_the_context_is_said(session: Session, reply: Any) -> None:
    with pytest.raises(ContextFull, match="has 203 tokens, and the model's context of 200"):
        reply("x" * 195)
    assert [m.role for m in messages_of(session)] == ["user"]


def test_pieces_split_no_character(lm: LanguageModel, reply: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["café 日本 🐛 end", "☂ other"]
    rows = [lm.tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    tokens = [Token(row, id, False) for row, ids in enumerate(rows) for id in ids]
    monkeypatch.setattr("dct_tui.jobs.chat_job.stream", lambda *a, **k: iter(tokens))
    monkeypatch.setattr("dct_tui.jobs.chat_job.JOIN_S", 0.0)
    message, pieces = reply("One", compare=True)
    assert [message.content, message.unsteered] == texts == [side(pieces, "steered"), side(pieces, "unsteered")]
    assert len(pieces) > 10 and not any("\ufffd" in piece.text for piece in pieces)
    assert not message.ended and not message.unsteered_ended


def test_pieces_are_joined(reply: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dct_tui.jobs.chat_job.JOIN_S", 1e9)
    message, pieces = reply("One", "1:+2", compare=True)
    assert pieces == [Piece("steered", message.content), Piece("unsteered", message.unsteered)]


def test_a_feature_that_is_not_there(reply: Any) -> None:
    with pytest.raises(DctError, match="no feature 9"):
        reply("One", "9:+1")


def test_without_features_no_fit_is_needed(lm: LanguageModel, session: Session, reply: Any) -> None:
    (session.path / "fit.safetensors").unlink()
    message, _ = reply("One")
    assert message.content == alone(lm, [("system", "Be."), ("user", "One")])
    with pytest.raises(DctError):
        reply("Two", "1:+1")
