"""Answers that cannot be sent, and engines whose lines cannot be read: neither is waited for in vain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from engine_tools import Written

from dct_tui.engine import wire
from dct_tui.engine.answers import EngineState
from dct_tui.engine.client import EngineClient
from dct_tui.engine.connection import Answers, Connection, Open
from dct_tui.engine.errors import EngineGone
from dct_tui.engine.messages import Hello
from dct_tui.engine.work import side
from dct_tui.errors import DctError

UNSENDABLE = [{"n": 2**70}, {"name": "\udcff"}, {"text": "x" * wire.LIMIT}]
STATE = EngineState(pid=1, version="0", started="", home="")


@pytest.mark.parametrize("value", UNSENDABLE)
async def test_an_answer_that_cannot_be_sent_is_an_error_and_ends_its_request(value: dict[str, Any]) -> None:
    written, ended = Written(), asyncio.Event()
    connection = Connection(written)  # type: ignore[arg-type]
    connection.open[7] = Open(lambda: None)
    answers = Answers(asyncio.get_running_loop(), connection, 7, ended.set)
    answers.tell(value)
    answers.end("result", value)
    await asyncio.wait_for(ended.wait(), 10)
    (answer,) = written.read()
    assert answer["id"] == 7 and "answer" in answer["error"]["message"]
    assert connection.open == {}


def test_an_error_that_speaks_of_an_odd_file_name_can_be_sent() -> None:
    line = wire.answer(1, "error", wire.problem(DctError("no \udcff", "see \udcff")))
    assert orjson.loads(line)["error"]["message"] == "no \\udcff"


def test_a_model_that_cannot_be_looked_at_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    from dct_tui.models import summary

    looked_at = summary.summarise

    def summarise(source: Any) -> Any:
        if source.name == "builtin":
            raise RecursionError
        return looked_at(source)

    monkeypatch.setattr(summary, "summarise", summarise)
    at_hand = side.Aside(lambda event: None, lambda: None, lambda device: 0, at_rest=True)
    first, *_ = side._models(at_hand)
    assert first["name"] == "builtin" and first["problem"] == "it cannot be looked at: RecursionError"


class Told:
    """An engine that says what a test has it say."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await self.lines.get():
                writer.write(line)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    def state(self, model: str) -> None:
        event = asdict(replace(STATE, model=model))
        self.lines.put_nowait(orjson.dumps({"id": 1, "event": event}) + b"\n")


@pytest.fixture
async def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Told]:
    monkeypatch.chdir(tmp_path)  # For an address that is short enough.
    engine = Told()
    server = await asyncio.start_unix_server(engine.serve, "socket")
    engine.state("first")
    yield engine
    engine.lines.put_nowait(b"")
    server.close()


async def test_a_line_that_is_too_long_is_told_as_what_it_is(told: Told) -> None:
    client = await EngineClient.open(Path("socket"), Path("engine.log"))
    told.lines.put_nowait(b"x" * (3 * wire.LIMIT))
    with pytest.raises(EngineGone, match="a line that is too long"):
        await client.ask(Hello())
    await client.close()


async def test_a_state_that_cannot_be_taken_does_not_end_the_watch(told: Told) -> None:
    client = await EngineClient.open(Path("socket"), Path("engine.log"))
    seen: list[str | None] = []
    third = asyncio.Event()

    def on_state(state: EngineState | None) -> None:
        seen.append(None if state is None else state.model)
        if seen[-1] == "second":
            raise ValueError("a screen that has gone")
        third.set()

    client.on_state = on_state
    told.state("second")
    told.state("third")
    await asyncio.wait_for(third.wait(), 10)
    assert seen == ["second", "third"]
    await client.close()
