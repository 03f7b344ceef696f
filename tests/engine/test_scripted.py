"""The scripted engine behaves as the real one does, so that screens tested against it work."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from scripted import ScriptedEngine, Tell

from dct_tui.engine.errors import Cancelled, EngineGone
from dct_tui.engine.messages import Hello, Inspect, Load, ModelChoice, Models
from dct_tui.errors import DctError

LOAD = Load(model=ModelChoice(name="builtin"))


async def test_handlers_give_results_events_and_errors() -> None:
    async def load(request: Load, tell: Tell) -> dict[str, Any]:
        tell({"stage": "load", "part": "weights", "done": 1, "of": 2})
        return {"model": request.model.name}

    def inspect(request: Inspect, tell: Tell) -> dict[str, Any]:
        raise DctError(f"there is no model {request.name}", "look again")

    engine = ScriptedEngine({Load: load, Inspect: inspect, Models: {"models": []}})
    job = engine.begin(LOAD)
    assert [event async for event in job] == [{"stage": "load", "part": "weights", "done": 1, "of": 2}]
    assert [event async for event in job] == []
    assert await job.result() == await job.result() == {"model": "builtin"}
    assert await engine.ask(Models()) == {"models": []}
    for _ in range(2):
        with pytest.raises(DctError, match="there is no model x; look again"):
            await engine.ask(Inspect(name="x"))
    with pytest.raises(DctError, match="no handler for Hello"):
        await engine.ask(Hello())
    assert engine.requests[:2] == [LOAD, Models()] and engine.asked(Load) == [LOAD]


async def test_a_job_is_cancelled_wherever_it_is() -> None:
    async def forever(request: Load, tell: Tell) -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    engine = ScriptedEngine({Load: forever})
    begun, new = engine.begin(LOAD), engine.begin(LOAD)
    await asyncio.sleep(0)
    for job in (begun, new, engine.begin(LOAD)):
        await job.cancel()
        with pytest.raises(Cancelled):
            await job.result()
    assert engine.cancelled == [LOAD] * 3


async def test_it_tells_its_state_and_dies() -> None:
    engine = ScriptedEngine({Load: lambda request, tell: asyncio.Event().wait()})
    told: list[Any] = []
    engine.on_state = told.append
    engine.say(model="builtin")
    job = engine.begin(LOAD)
    engine.die()
    for waiting in (job, engine.begin(Hello())):
        with pytest.raises(EngineGone):
            await waiting.result()
    assert [state and state.model for state in told] == ["builtin", None]
    assert engine.state is None
