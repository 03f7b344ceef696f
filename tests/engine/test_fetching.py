"""A hub model fetched through an engine, from the stand-in for the hub's server."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_tools import gone, state_of
from hub_server import Hub, serving

from dct_tui.engine.client import EngineClient
from dct_tui.engine.errors import Cancelled
from dct_tui.engine.messages import Download, Inspect, Quit
from dct_tui.engine.registry import EngineInfo, start_engine
from dct_tui.errors import DctError

ID = "someone/tiny"


@pytest.fixture(scope="module")
def hub(llama: Path, engines_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """The tiny Llama on a server, and a cache of the module's own; the engine is started with both."""
    files = {path.name: path.read_bytes() for path in llama.iterdir() if path.is_file()}
    files["model.safetensors"] += bytes(3 * 2**20)
    with serving(Hub(ID, files)) as served, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", served.url)
        for name in ("HF_HOME", "HF_HUB_CACHE"):
            patch.setenv(name, str(tmp_path_factory.mktemp("hub")))
        for name in ("HF_TOKEN", "HF_HUB_OFFLINE"):
            patch.delenv(name, raising=False)
        yield served


@pytest.fixture(scope="module")
def engine(hub: Hub) -> EngineInfo:
    return asyncio.run(start_engine())


async def held_up(client: EngineClient, hub: Hub) -> None:
    """Waits until the server rests in the middle of the weights."""
    await asyncio.to_thread(hub.halfway.wait, 60)
    assert [job.do for job in (await state_of(client, lambda state: state.jobs)).jobs] == ["download"]


async def test_fetching_is_shown_stopped_and_gone_on_with(client: EngineClient, hub: Hub) -> None:
    with pytest.raises(DctError, match="there is no model"):
        await client.ask(Inspect(name=ID))
    hub.hold = True
    job = client.begin(Download(name=ID))
    await held_up(client, hub)
    await job.cancel()
    with pytest.raises(Cancelled):
        await job.result()
    hub.hold = False
    hub.sent.clear()
    again = client.begin(Download(name=ID))
    events = [event async for event in again]
    assert (await again.result())["name"] == ID
    assert events[-1]["done"] == events[-1]["of"] and events[0].keys() == {"file", "done", "of"}
    assert dict(hub.sent)["model.safetensors"] > 0  # It began where it had stopped.
    assert (await client.ask(Inspect(name=ID)))["model"]["problem"] == ""


async def test_what_is_not_on_the_hub_is_told(client: EngineClient) -> None:
    with pytest.raises(DctError) as error:
        await client.ask(Download(name="someone/else"))
    assert error.value.hint


async def test_an_engine_ends_though_it_fetches(client: EngineClient, engine: EngineInfo, hub: Hub) -> None:
    shutil.rmtree(os.environ["HF_HUB_CACHE"])
    hub.halfway.clear()
    hub.hold = True
    job = client.begin(Download(name=ID))
    await held_up(client, hub)
    await client.ask(Quit())
    with pytest.raises(Cancelled):
        await job.result()
    hub.hold = False
    await gone(engine)
