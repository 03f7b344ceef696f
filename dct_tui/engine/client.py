"""The line to an engine, as the screens hold it: asyncio, no threads, no torch."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

from dct_tui.errors import DctError, SessionDamaged
from dct_tui.sessions.decode import decode

from . import wire
from .answers import EngineState
from .errors import EngineGone
from .messages import Cancel, Hello, Request, Watch

__all__ = ["Engine", "EngineClient", "Job", "OnState"]

PATIENCE_S = 10.0
"""How long an engine may take to say what it is doing: it may be in the midst of opening a model."""
BEAT_S = 1.0
BEATS = 5
"""An engine that leaves a question open for so many beats does not answer."""
HANG_UP_S = 1.0
log = logging.getLogger(__name__)

OnState = Callable[[EngineState | None], None]
"""Called with every new state, and when `Engine.answers` is otherwise; None once the engine is gone."""


class Job:
    """One request with its events, of which there may be none.

    Iterating gives the events and ends with them, however the job ended; `result` says how. Leaving a job alone does
    no harm: what is to go on without us does.

    Attributes:
        id: of the request, on this line.
    """

    def __init__(self, id: int, stop: Callable[[Job], Awaitable[None]]) -> None:
        self.id = id
        self._stop = stop
        self._events: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._outcome: dict[str, Any] | DctError | None = None
        self._ended = asyncio.Event()

    @property
    def ended(self) -> bool:
        """Whether its result or its error is there."""
        return self._ended.is_set()

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        while (event := await self._events.get()) is not None:
            yield event
        self._events.put_nowait(None)  # For whoever iterates next.

    async def result(self) -> dict[str, Any]:
        """What it gave.

        Raises:
            DctError: as the engine said; Cancelled where it was stopped, EngineGone where the engine ended.
        """
        await self._ended.wait()
        if isinstance(self._outcome, DctError):
            # A new one each time, or its traceback would grow with every reader.
            raise type(self._outcome)(self._outcome.message, self._outcome.hint)
        assert self._outcome is not None
        return self._outcome

    async def cancel(self) -> None:
        """Asks for its end, which `result` then tells. What it has made so far is kept."""
        if not self.ended:
            await self._stop(self)

    def tell(self, event: dict[str, Any]) -> None:
        """For the other end: an event."""
        self._events.put_nowait(event)

    def end(self, outcome: dict[str, Any] | DctError) -> None:
        """For the other end: the result or the error. The first one counts."""
        if not self.ended:
            self._outcome = outcome
            self._ended.set()
            self._events.put_nowait(None)


class Engine(Protocol):
    """What screens see of an engine.

    Attributes:
        state: as it was last told; None before that, and once the engine is gone.
        answers: whether it answers. One that does not may again: what it was asked goes on then.
        on_state: called with every new state, and when `answers` is otherwise.
    """

    state: EngineState | None
    answers: bool
    on_state: OnState | None

    async def ask(self, request: Request) -> dict[str, Any]:
        """The result of a request whose events, if any, are of no interest. Raises DctError as the engine said."""

    def begin(self, request: Request) -> Job:
        """A request that is under way once this returns. Whatever is wrong is told by `Job.result`."""

    async def close(self) -> None:
        """Lets go of the engine, which goes on."""


class EngineClient:
    """A connection to an engine. One that is lost stays lost: another is had from `registry.engine_for`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, log: Path) -> None:
        self.state: EngineState | None = None
        self.answers = True
        self.on_state: OnState | None = None
        self.log = log
        self._reader, self._writer = reader, writer
        self._jobs: dict[int, Job] = {}
        self._last_id = 0
        self._gone: EngineGone | None = None
        self._first_state = asyncio.Event()
        watching = self.begin(Watch())
        self._tasks = [asyncio.create_task(work) for work in (self._read(), self._watch(watching), self._feel_pulse())]

    @classmethod
    async def open(cls, socket: Path, log: Path) -> EngineClient:
        """Connects, and waits for the engine's first state.

        Raises:
            EngineGone: nobody listens there, or nobody answers.
        """
        try:
            reader, writer = await asyncio.open_unix_connection(str(socket), limit=wire.LIMIT)
        except OSError:
            raise _gone(log) from None
        client = cls(reader, writer, log)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await client._first_state.wait()
            if client._gone is not None:
                raise client._gone
        except TimeoutError:
            await client.close()
            raise EngineGone(
                "the engine does not answer", f"see {log}, or end it: dct-tui engines --stop all"
            ) from None
        except BaseException:
            await client.close()
            raise
        return client

    @property
    def is_open(self) -> bool:
        """Whether the engine is still there."""
        return self._gone is None

    async def ask(self, request: Request) -> dict[str, Any]:
        """The result of a request. Raises DctError as the engine said, EngineGone where it has ended."""
        return await self.begin(request).result()

    def begin(self, request: Request) -> Job:
        """Sends a request."""
        self._last_id += 1
        job = Job(self._last_id, self._stop)
        try:
            line = wire.ask(job.id, request)
        except DctError as error:
            job.end(error)
            return job
        if self._gone is not None:
            job.end(self._gone)
            return job
        self._jobs[job.id] = job
        self._writer.write(line)
        return job

    async def close(self) -> None:
        """Lets go of the engine, which goes on. Jobs that have not ended raise EngineGone here."""
        self._lose(EngineGone("the line to the engine was closed", "open the workbench again"), tell=False)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            async with asyncio.timeout(HANG_UP_S):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):  # What it has not read, it is not going to.
            self._writer.transport.abort()

    async def _stop(self, job: Job) -> None:
        # An engine that has gone has stopped it too.
        with contextlib.suppress(EngineGone):
            await self.ask(Cancel(job=job.id))

    async def _read(self) -> None:
        why = _gone(self.log)
        try:
            while (answer := await wire.objects(self._reader)) is not None:
                self._take(answer)
        except OSError:
            pass
        except DctError as error:
            why = EngineGone(error.message, error.hint or f"open it again; the engine's log is {self.log}")
        finally:
            self._lose(why)

    def _take(self, answer: dict[str, Any]) -> None:
        job = self._jobs.get(answer["id"]) if isinstance(answer.get("id"), int) else None
        if job is None:
            return
        if isinstance(event := answer.get("event"), dict):
            job.tell(event)
            return
        del self._jobs[job.id]
        if isinstance(error := answer.get("error"), dict):
            job.end(wire.error_of(error))
        else:
            result = answer.get("result")
            job.end(result if isinstance(result, dict) else {})

    async def _watch(self, job: Job) -> None:
        async for event in job:
            with contextlib.suppress(SessionDamaged):  # An engine of another version: what it can do, it does.
                self._tell(decode(EngineState, event, "the engine's state"))
            self._first_state.set()

    async def _feel_pulse(self) -> None:
        with contextlib.suppress(DctError):
            while True:
                await asyncio.sleep(BEAT_S)
                beat = self.begin(Hello())
                # Who was stopped himself finds all his time over, and the answer not read: he looks once more.
                for _ in range(BEATS):
                    await asyncio.sleep(BEAT_S)
                    if beat.ended:
                        break
                else:
                    self._find(answers=False)
                await beat.result()
                self._find(answers=True)

    def _find(self, *, answers: bool) -> None:
        if self.answers != answers:
            self.answers = answers
            self._tell(self.state)

    def _tell(self, state: EngineState | None) -> None:
        self.state = state
        if self.on_state is not None:
            try:
                self.on_state(state)
            except Exception:  # The next state may be one it can take; without a watch there would be none.
                log.exception("a state of the engine could not be taken")

    def _lose(self, why: EngineGone, *, tell: bool = True) -> None:
        if self._gone is not None:
            return
        self._gone = why
        self._writer.close()
        jobs, self._jobs = list(self._jobs.values()), {}
        for job in jobs:
            job.end(why)
        self._first_state.set()
        if tell:
            self._tell(None)
        else:
            self.state = None


def _gone(log: Path) -> EngineGone:
    return EngineGone("the engine has ended", f"what it did last is in {log}; everything finished is in the session")
