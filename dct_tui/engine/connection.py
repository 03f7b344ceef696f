"""One client of an engine: its line, and what it has asked for and not been answered yet."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dct_tui.errors import DctError

from . import wire

__all__ = ["Answers", "Connection", "Open"]

MOST_UNREAD = 64 * 2**20
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Open:
    """A request that has not been answered to its end: how it is stopped, and whether it goes on without its client."""

    stop: Callable[[], None]
    goes_on: bool = False


class Connection:
    """A client. Only for the loop's thread.

    Attributes:
        open: its unanswered requests, by id.
    """

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.open: dict[int, Open] = {}

    def send(self, id: int, kind: str, value: Any) -> None:
        """Sends an answer; with a result or an error the request is answered. A client that has left misses it.

        In the place of a result that cannot be sent goes an error that says so; such an event is left out.
        """
        if kind != "event":
            self.open.pop(id, None)
        self._write(id, kind, value)

    def refuse(self, id: int | None, error: BaseException) -> None:
        """Sends an error for a line that began nothing, whatever else goes on under its id."""
        self._write(id, "error", wire.problem(error))

    def _write(self, id: int | None, kind: str, value: Any) -> None:
        if self._writer.is_closing():
            return
        try:
            line = wire.answer(id, kind, value)
        except DctError as error:
            log.warning("request %s, %s: %s", id, kind, error)
            if kind == "event":
                return
            line = wire.answer(id, "error", wire.problem(error))
        self._writer.write(line)
        if self._writer.transport.get_write_buffer_size() > MOST_UNREAD:
            log.warning("a client that does not read is cut off")
            self._writer.transport.abort()

    def left(self) -> None:
        """The client has gone: what is of use to it alone is stopped."""
        asked, self.open = self.open, {}
        for one in asked.values():
            if not one.goes_on:
                one.stop()

    async def close(self) -> None:
        """Sends what is left to send, and hangs up."""
        self._writer.close()
        try:
            await asyncio.wait_for(self._writer.wait_closed(), 1)
        except (OSError, TimeoutError):
            self._writer.transport.abort()


class Answers:
    """The way of a job's answers from its thread to its client, and to those who follow it.

    Args:
        opening: what followers are told first, and after it all that was told before they came; None: only what is
            told from then on.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        connection: Connection,
        id: int,
        on_end: Callable[[], None],
        opening: dict[str, Any] | None = None,
    ) -> None:
        self._loop, self._on_end = loop, on_end
        self._hearers = [(connection, id)]
        self._kept = None if opening is None else [opening]

    def tell(self, event: dict[str, Any]) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._tell, event)

    def end(self, kind: str, value: dict[str, Any]) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._end, kind, value)

    def follow(self, connection: Connection, id: int) -> None:
        """Tells another client too. Only for the loop's thread."""
        for event in self._kept or ():
            connection.send(id, "event", event)
        follower = (connection, id)

        def leave() -> None:
            self._hearers.remove(follower)
            connection.send(id, "result", {})

        self._hearers.append(follower)
        connection.open[id] = Open(leave)

    def _tell(self, event: dict[str, Any]) -> None:
        if self._kept is not None:
            self._kept.append(event)
        for connection, id in self._hearers:
            connection.send(id, "event", event)

    def _end(self, kind: str, value: dict[str, Any]) -> None:
        try:
            for connection, id in self._hearers:
                connection.send(id, kind, value)
        finally:
            self._on_end()
