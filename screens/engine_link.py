"""The workbench's hold on an engine: found or started when it is needed, lost without harm."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from dct_tui.engine.messages import EngineState

if TYPE_CHECKING:
    from dct_tui.engine.client import Engine

EngineFor: TypeAlias = "Callable[[str | None], Awaitable[Engine]]"
"""Gives an engine for a model, by the name it is opened by; None: any."""


async def _engine_for(model: str | None) -> Engine:
    from dct_tui.engine.registry import engine_for

    return await engine_for(model)


class EngineLink:
    """At most one engine a model, asked for by the screens as they need them.

    Args:
        engine_for: how an engine is come by; tests give their own.
    """

    def __init__(self, engine_for: EngineFor | None = None) -> None:
        self._engine_for = engine_for or _engine_for
        self.current: Engine | None = None

    @property
    def state(self) -> EngineState | None:
        """What the engine last said it is doing; None without one."""
        return self.current.state if self.current is not None else None

    async def engine(self, model: str | None = None) -> Engine:
        """An engine that has the model, or can take it.

        Raises:
            DctError: none can be started.
        """
        self.current = await self._engine_for(model)
        return self.current

    def words(self) -> str:
        """The engine's state in a few words."""
        state = self.state
        if state is None:
            return "no engine"
        running = [job for job in state.jobs if job.state != "waiting"]
        if state.loading:
            return f"loading {state.loading}"
        if running:
            return f"{running[0].do} {running[0].note}".strip()
        return f"ready: {state.model}" if state.model else "engine ready"

    async def close(self) -> None:
        """Lets go of it; the engine goes on."""
        if self.current is not None:
            await self.current.close()
