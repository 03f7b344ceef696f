"""Sessions whose fit got so far, and the screen that shows it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from benchmarks.synthetic import Size, iteration, record_of
from dct_tui.screens.app import Workbench
from dct_tui.screens.fit import FitScreen
from dct_tui.sessions import Session
from tests.engine.scripted import ScriptedEngine
from tests.screens.looking import screen_text

SMALL = Size(factors=8, width=16, sampled=0)


def begun(home: Path, status: str = "created", iterations: int = 0, **changes: Any) -> Session:
    """A session whose fit got so far."""
    session = Session.create(home / "sessions" / "one", record_of("one", SMALL))
    with session.writing():
        for number in range(1, iterations + 1):
            session.progress.append(iteration(number, session.record))
        session.update_record(status=status, **changes)
    return session


@asynccontextmanager
async def opened(
    session: Session, engine: ScriptedEngine | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Pilot[None]]:
    """The fit screen of a session."""

    async def engine_for(model: str | None) -> ScriptedEngine:
        assert engine is not None, "no engine was to be asked for"
        return engine

    async def find() -> list[ScriptedEngine]:
        return [engine] if engine is not None else []

    app = Workbench(engine_for, session.path, find=find)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await app.action_go("fit")
        await pilot.pause()
        assert isinstance(app.screen, FitScreen)
        yield pilot


async def pulse(pilot: Pilot[None]) -> str:
    """What stands on the screen after a look at the folder."""
    assert isinstance(pilot.app.screen, FitScreen)
    pilot.app.screen.pulse()
    await pilot.pause()
    return screen_text(pilot.app)


def offered(pilot: Pilot[None]) -> set[str]:
    """The actions of the screen that a key would perform now."""
    return {binding.action for _, binding, enabled, _ in pilot.app.screen.active_bindings.values() if enabled}
