"""An engine that says what a test tells it to: in the same process, without a model.

async def fit(request, tell):
    tell({"session": str(path)})
    await gate.wait()
    return {"session": str(path)}

engine = ScriptedEngine({StartFit: fit, Models: {"models": []}})
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from dct_tui.engine.answers import EngineState
from dct_tui.engine.client import Job, OnState
from dct_tui.engine.errors import Cancelled, EngineGone
from dct_tui.engine.messages import Request
from dct_tui.errors import DctError

Tell = Callable[[dict[str, Any]], None]
Handler = Callable[[Any, Tell], dict[str, Any] | Awaitable[dict[str, Any] | None] | None]

IDLE = EngineState(pid=4711, version="0", started="2026-01-01T00:00:00.000Z", home="/nowhere")


class ScriptedEngine:
    """Answers every request by the handler of its class.

    A handler is a result; or a function of the request and of `tell`, which sends an event, that gives the result or
    raises DctError; or such a coroutine function, in which a cancelled job sees asyncio.CancelledError.

    Attributes:
        handlers: by class of request; may be changed at any time.
        requests: everything that was asked, in order.
        jobs: the jobs that were begun, in the same order.
        cancelled: the requests whose jobs were cancelled.
        state: as it was last set by `say`.
    """

    def __init__(self, handlers: Mapping[type, Any] | None = None, state: EngineState | None = IDLE) -> None:
        self.handlers: dict[type, Any] = dict(handlers or {})
        self.state = state
        self.answers = True
        self.on_state: OnState | None = None
        self.is_open = True
        self.requests: list[Any] = []
        self.jobs: list[Job] = []
        self.cancelled: list[Any] = []
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def asked(self, kind: type) -> list[Any]:
        """The requests of one class, in order."""
        return [request for request in self.requests if type(request) is kind]

    def say(self, **changes: Any) -> None:
        """Changes the state, and tells it: `engine.say(model="builtin", jobs=(…,))`."""
        self.state = replace(self.state or IDLE, **changes)
        if self.on_state is not None:
            self.on_state(self.state)

    def hang(self, hanging: bool) -> None:
        """Does not answer, or does again; handlers that wait are the test's own."""
        self.answers = not hanging
        if self.on_state is not None:
            self.on_state(self.state)

    async def ask(self, request: Request) -> dict[str, Any]:
        return await self.begin(request).result()

    def begin(self, request: Request) -> Job:
        job = Job(len(self.jobs) + 1, self._stop)
        self.requests.append(request)
        self.jobs.append(job)
        if not self.is_open:
            job.end(EngineGone("the engine has ended", "its log is nowhere"))
            return job
        self._tasks[job.id] = asyncio.ensure_future(self._run(job, request))
        return job

    async def close(self) -> None:
        self.is_open = False
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def die(self) -> None:
        """Ends as an engine that is killed does: jobs that wait fail, and the state is gone."""
        self.is_open = False
        for job in self.jobs:
            job.end(EngineGone("the engine has ended", "its log is nowhere"))
        for task in self._tasks.values():
            task.cancel()
        self.state = None
        if self.on_state is not None:
            self.on_state(None)

    async def _stop(self, job: Job) -> None:
        self.cancelled.append(self.requests[job.id - 1])
        task = self._tasks[job.id]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        job.end(Cancelled("it was stopped"))  # A task that had not begun has said nothing.

    async def _run(self, job: Job, request: Any) -> None:
        try:
            handler = self.handlers.get(type(request))
            if handler is None:
                raise DctError(f"no handler for {type(request).__name__}", "give the scripted engine one")
            outcome = handler(request, job.tell) if callable(handler) else handler
            if inspect.isawaitable(outcome):
                outcome = await outcome
            job.end({} if outcome is None else outcome)
        except DctError as error:
            job.end(error)
        except asyncio.CancelledError:
            job.end(Cancelled("it was stopped"))
            raise
