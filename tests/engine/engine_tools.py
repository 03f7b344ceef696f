"""Waiting for what an engine does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson

from dct_tui.engine.client import EngineClient, Job
from dct_tui.engine.registry import EngineInfo, is_alive

TIMEOUT = 60
ENDLESS = 100_000
"""More iterations than any test waits for."""


async def state_of(client: EngineClient, holds: Callable[[Any], bool]) -> Any:
    """Waits for a state of the engine (None: it is gone) of which something holds."""
    met = asyncio.Event()
    client.on_state = lambda state: met.set() if holds(state) else None
    if not holds(client.state):
        async with asyncio.timeout(TIMEOUT):
            await met.wait()
    client.on_state = None
    return client.state


async def gone(info: EngineInfo) -> None:
    """Waits for the end of an engine's process."""
    async with asyncio.timeout(TIMEOUT):
        while is_alive(info):
            await asyncio.sleep(0.01)


async def iterations(job: Job, count: int) -> str:
    """Waits until a fit has finished so many iterations; gives its session."""
    session = ""
    async with asyncio.timeout(TIMEOUT):
        async for event in job:
            session = event.get("session", session)
            if event.get("stage") == "fit" and event["done"] >= count:
                return session
    raise AssertionError(await job.result())


class Written:
    """A stream's writing end that keeps what is written. A transport that has nothing to send yet."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.write = self.lines.append
        self.transport = self

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def read(self) -> list[Any]:
        return [orjson.loads(line) for line in self.lines]
