"""Fits in engines, and waiting for what other processes do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.pty_terminal import Terminal
from dct_tui.engine.messages import FitChoice, ModelChoice, StartFit
from dct_tui.engine.registry import engine_for
from dct_tui.sessions import Session

PATIENCE_S = 60.0
PROMPTS = ("Tell me of the sea.", "What is rain?", "Name a town.", "Where do birds go?", "Say: café ☂")
ENDLESS = 100_000

Open = Callable[..., Terminal]


def start_fit(session: Path, model: str, *, wait: bool = False, **changes: Any) -> int:
    """Has an engine fit the model, by default until it is stopped; the engine's process. `wait`: until it is fitted."""
    settings: dict[str, Any] = {
        "prompts": PROMPTS, "source": 2, "target": 4, "factors": 8, "iterations": ENDLESS, "row_batch": 8, "scale": 4.0
    }  # fmt: skip

    async def start() -> int:
        engine = await engine_for(model)
        fit = FitChoice(**{**settings, **changes})
        job = engine.begin(StartFit(model=ModelChoice(name=model), fit=fit, session=str(session)))
        async for event in job:
            if event.get("stage") == "fit" and not wait:
                break
        else:
            await job.result()
        assert engine.state is not None
        pid = engine.state.pid
        await engine.close()
        return pid

    return asyncio.run(start())


def until(holds: Callable[[], Any], what: str) -> Any:
    """Waits for what another process does, of which there is no event to await."""
    end = time.monotonic() + PATIENCE_S
    while not (found := holds()):
        assert time.monotonic() < end, f"not within {PATIENCE_S:.0f} s: {what}"
        time.sleep(0.01)
    return found


def iterations(session: Session) -> list[int]:
    """The numbers of the finished iterations, in the order of the journal."""
    return [record["iteration"] for record in session.progress.read().records if "stage" not in record]
