"""The workbench's hold on engines: found or started when they are needed, lost without harm."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from dct_tui.errors import DctError

if TYPE_CHECKING:
    from dct_tui.engine.answers import EngineState
    from dct_tui.engine.client import Engine

EngineFor: TypeAlias = "Callable[[str | None], Awaitable[Engine]]"
"""Gives an engine for a model, by the name it is opened by; None: any."""
FindEngines: TypeAlias = "Callable[[], Awaitable[Sequence[Engine]]]"
"""Gives lines to the engines that are there already."""


async def _engine_for(model: str | None) -> Engine:
    from dct_tui.engine.registry import engine_for

    return await engine_for(model)


async def _find() -> Sequence[Engine]:
    from dct_tui.engine.errors import EngineGone
    from dct_tui.engine.registry import connect, list_engines
    from dct_tui.paths import data_root

    found: list[Engine] = []
    for info in list_engines():
        if info.home == str(data_root()):
            try:
                found.append(await connect(info))
            except EngineGone:
                continue
    return found


async def _find_none() -> Sequence[Engine]:
    return ()


class EngineLink:
    """Lines to engines, one each, asked for by the screens as they need them.

    Args:
        engine_for: how an engine is come by; tests give their own.
        find: how those that run already are found; without either, in the folder of this user's engines.

    Attributes:
        current: the one that was asked last, of which the first line tells; None before the first.
        last_states: what the engines said last before they were let go of.
        on_change: called whenever what `words` says may have changed.
    """

    def __init__(self, engine_for: EngineFor | None = None, find: FindEngines | None = None) -> None:
        self._engine_for = engine_for or _engine_for
        self._find = find or (_find if engine_for is None else _find_none)
        self._held: list[Engine] = []
        self._asking = asyncio.Lock()
        self._lost = False
        self.current: Engine | None = None
        self.last_states: list[EngineState] = []
        self.on_change: Callable[[], None] = lambda: None

    @property
    def state(self) -> EngineState | None:
        """What the current engine last said it is doing; None without one."""
        return self.current.state if self.current is not None else None

    @property
    def answers(self) -> bool:
        """Whether the current engine answers; without one nothing is left open."""
        return self.current is None or self.current.answers

    @property
    def held(self) -> Sequence[Engine]:
        """The engines there is a line to."""
        return tuple(self._held)

    async def find(self) -> None:
        """Takes hold of the engines that run already. Where that cannot be, there are none: asking for one tells."""
        try:
            for engine in await self._find():
                self._take(engine)
        except DctError:
            return
        # The one that is at work is the one to be told of.
        busy = [engine for engine in self._held if engine.state is not None and engine.state.jobs]
        self.current = next(iter([*busy, *self._held]), None)
        self.on_change()

    async def engine(self, model: str | None = None) -> Engine:
        """An engine that has the model, or can take it; the line to it is kept.

        Raises:
            DctError: none can be started.
        """
        # Two screens that ask at once mean one engine.
        async with self._asking:
            self._drop_lost()
            having = [engine for engine in self._held if _has(engine.state, model)]
            # One that does not answer may have the only room for its model: it is waited for, and said to be.
            held = min(having, key=lambda engine: not engine.answers, default=None)
            self.current = held or await self._take_anew(await self._engine_for(model))
        self._lost = False
        self.on_change()
        return self.current

    def words(self, here: str = "") -> str:
        """The current engine's state in a few words; work on another session than that of the path `here` says so."""
        state = self.state
        if state is None:
            return "engine ended" if self._lost else "no engine"
        if not self.answers:
            return f"engine {state.pid}: no answer"
        if state.loading:
            return f"loading {state.loading}"
        running = [job for job in state.jobs if job.state != "waiting"]
        if running:
            word = "paused" if running[0].state == "paused" else ""
            do, note, session = running[0].do, running[0].note, running[0].session
            of = f"of {Path(session).name}" if session and session != here else ""
            # The stage of a job may be called as it is.
            return " ".join(part for part in (word, "" if note.startswith(do) else do, note, of) if part)
        return f"ready: {state.model}" if state.model else "engine ready"

    def farewell(self) -> str:
        """Once they were let go of: which fits go on, in one line; empty where none does."""
        fits = [job for state in self.last_states for job in state.jobs if job.do in ("fit", "resume")]
        if not fits:
            return ""
        names = ", ".join(sorted({Path(job.session).name for job in fits if job.session})) or "a session"
        return f"the fit of {names} goes on without the workbench: `dct-tui` shows it, `dct-tui engines` stops it"

    async def close(self) -> None:
        """Lets go of them; the engines go on."""
        self.last_states = [engine.state for engine in self._held if engine.state is not None]
        for engine in self._held:
            engine.on_state = None
            await engine.close()

    async def _take_anew(self, engine: Engine) -> Engine:
        """Keeps a line, unless there is one to the same engine already."""
        pid = engine.state.pid if engine.state is not None else None
        for held in self._held:
            if held is not engine and held.state is not None and held.state.pid == pid:
                await engine.close()
                return held
        return self._take(engine)

    def _take(self, engine: Engine) -> Engine:
        if engine not in self._held:
            self._held.append(engine)
        engine.on_state = lambda state: self._told(engine, state)
        return engine

    def _told(self, engine: Engine, state: EngineState | None) -> None:
        if state is None and engine is self.current:
            self._lost = True
        self.on_change()

    def _drop_lost(self) -> None:
        self._held = [engine for engine in self._held if engine.state is not None]


def _has(state: EngineState | None, model: str | None) -> bool:
    from dct_tui.engine.registry import same_model

    return state is not None and (model is None or same_model(model, state))
