"""What comes over the line that no client of ours sends, and an engine that holds no model yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from engine_tools import gone

from dct_tui.engine.client import EngineClient
from dct_tui.engine.messages import ForecastOf, Hello, Inspect, Load, ModelChoice, Models, Quit
from dct_tui.engine.registry import EngineInfo, connect, list_engines, start_engine
from dct_tui.engine.wire import LIMIT
from dct_tui.errors import DctError


class Line:
    """A line to an engine, without manners."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, *lines: bytes) -> None:
        for line in lines:
            self.writer.write(line + b"\n")
            await self.writer.drain()

    async def answer(self) -> Any:
        async with asyncio.timeout(30):
            return orjson.loads(await self.reader.readline())


@pytest.fixture
async def line(engine: EngineInfo) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_unix_connection(engine.socket)
    yield Line(reader, writer)
    writer.close()


async def test_what_is_heavy_is_there_once_a_model_is_asked_for(model: ModelChoice, engines_home: Path) -> None:
    info = await start_engine()
    client = await connect(info)
    state = await client.ask(Hello())
    assert state["pid"] == info.pid and state["model"] is None and state["memory"] > 0
    assert client.state is not None and client.state.jobs == ()
    light = Path(f"/proc/{info.pid}/maps").read_text()
    # What is looked for shows up where it is: orjson is in every engine, torch in one that has a model.
    assert "orjson" in light
    assert "libtorch" not in light and "tokenizers" not in light
    await client.ask(Load(model=model))
    heavy = Path(f"/proc/{info.pid}/maps").read_text()
    assert "libtorch" in heavy and "tokenizers" in heavy
    await client.ask(Quit())
    await gone(info)
    await client.close()


@pytest.mark.parametrize(
    ("sent", "id", "complaint"),
    [
        (b"{", None, "a line is not JSON"),
        (b"\xff\xfe", None, "a line is not JSON"),
        (b"[" * 5000, None, "a line is not JSON"),
        (b"[]", None, "a line holds no object"),
        (b"", None, "a line is not JSON"),
        (b"{}", None, "needs an id"),
        (b'{"id": true, "do": "hello"}', None, "needs an id"),
        (b'{"id": 1e300, "do": "hello"}', None, "needs an id"),
        (b'{"id": 1}', 1, "there is no request None"),
        (b'{"id": 2, "do": ["hello"]}', 2, "there is no request"),
        (b'{"id": 3, "do": "__init__"}', 3, "there is no request"),
        (b'{"id": 4, "do": "hello", "with": {"x": 1}}', 4, "unknown field 'x'"),
        (b'{"id": 5, "do": "hello", "more": 1}', 5, "a request has no 'more'"),
        (b'{"id": 6, "do": "hello", "with": 3}', 6, "should be an object"),
        (b'{"id": 7, "do": "cancel", "with": {"job": "1"}}', 7, "should be a whole number"),
        (b'{"id": 8, "do": "load", "with": {"model": {"name": 3}}}', 8, "should be text"),
        (b'{"id": 9, "do": "sample", "with": {"session": "nowhere", "features": [1]}}', 9, "there is no session"),
        (b'{"id": 10, "do": "sample", "with": {"session": "\\u0000", "features": [1]}}', 10, "can be no path"),
    ],
)
async def test_what_is_no_request_is_answered_by_an_error(
    line: Line, sent: bytes, id: int | None, complaint: str
) -> None:
    await line.send(sent, b'{"id": 99, "do": "hello"}')
    refused = await line.answer()
    assert refused["id"] == id and complaint in refused["error"]["message"]
    assert (await line.answer())["result"]["jobs"] == []


async def test_a_line_that_is_too_long_ends_that_line_alone(line: Line, client: EngineClient) -> None:
    try:
        await line.send(b" " * (LIMIT + 2**17))
    except ConnectionError:
        pass  # It hung up before all was sent.
    else:
        assert "is longer than" in (await line.answer())["error"]["message"]
    assert (await client.ask(Hello()))["jobs"] == []


async def test_an_id_is_free_again_once_it_is_answered(line: Line) -> None:
    await line.send(b'{"id": 1, "do": "watch"}', b'{"id": 1, "do": "hello"}')
    assert "event" in await line.answer()
    assert "is not answered yet" in (await line.answer())["error"]["message"]
    await line.send(b'{"id": 2, "do": "cancel", "with": {"job": 1}}', b'{"id": 1, "do": "hello"}')
    ended, cancelled, hello = [await line.answer() for _ in range(3)]
    assert ended == {"id": 1, "result": {}} and cancelled == {"id": 2, "result": {}} and "pid" in hello["result"]


async def test_half_a_line_is_no_request(engine: EngineInfo, client: EngineClient) -> None:
    _, writer = await asyncio.open_unix_connection(engine.socket)
    writer.write(b'{"id": 1, "do": "quit"}')
    writer.close()
    await writer.wait_closed()
    assert (await client.ask(Hello()))["pid"] == engine.pid


async def test_what_a_client_cannot_send_is_told_there(client: EngineClient) -> None:
    with pytest.raises(DctError, match="valid Unicode"):
        await client.ask(Inspect(name="\ud800"))
    with pytest.raises(DctError, match="too many for one request"):
        await client.ask(Inspect(name="x" * LIMIT))
    assert (await client.ask(Hello()))["jobs"] == []


async def test_models_are_listed_looked_at_and_forecast(client: EngineClient, model: ModelChoice) -> None:
    from dct_tui.models.catalog import find_model
    from dct_tui.models.summary import summarise

    assert (await client.ask(Models()))["models"][0]["name"] == "builtin"
    seen = (await client.ask(Inspect(name=model.name)))["model"]
    summary = summarise(find_model(model.name))
    assert (seen["name"], seen["depth"], seen["bytes"]) == (summary.name, summary.depth, summary.bytes)
    with pytest.raises(DctError, match="there is no model"):
        await client.ask(Inspect(name="no/such"))
    forecast = await client.ask(ForecastOf(model=model))
    assert forecast["load_bytes"] > 0 and forecast["fit_bytes"] is None
    assert client.state is not None and client.state.model is None


def test_the_engine_is_listed_with_what_it_holds(engine: EngineInfo, engines_home: Path) -> None:
    assert list_engines() == [engine]
    assert engine.home == str(engines_home) and engine.model is None
    assert Path(engine.log).read_text().count("listens at") == 1
    socket = Path(engine.socket)
    assert socket.stat().st_mode & 0o777 == 0o600 and socket.parent.stat().st_mode & 0o777 == 0o700
