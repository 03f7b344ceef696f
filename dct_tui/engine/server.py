"""The engine's door: its files, its socket, its clients, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import threading
from dataclasses import asdict
from pathlib import Path

import orjson

from dct_tui.errors import DctError
from dct_tui.paths import data_root
from dct_tui.sessions.atomic import write_atomic
from dct_tui.sessions.locks import hold
from dct_tui.sessions.record import now

from . import wire
from .address import Address, address_of
from .connection import Connection
from .registry import EngineInfo, this_version
from .service import Service

__all__ = ["IDLE_S", "serve"]

IDLE_S = 30 * 60.0
LAST_WORD_S = 30.0
"""How long a job may take to come to a place where it can be stopped, when the engine is to end."""
FAREWELL_S = 3.0
log = logging.getLogger(__name__)


async def serve(log_file: Path, idle_s: float = IDLE_S) -> bool:
    """Is an engine until it is told to end, or nothing was asked of it and done for so many seconds.

    Returns:
        whether its worker has ended: where it has not, a thread is still at work.

    Raises:
        DctError: the folder of engines cannot be had.
    """
    address = address_of(os.getpid())
    for left in (address.socket, address.entry):
        left.unlink(missing_ok=True)
    with hold(address.lock, "the engine's lock"):
        try:
            return await _Server(address, log_file, idle_s).run()
        finally:
            for mine in (address.entry, address.socket, address.lock):
                mine.unlink(missing_ok=True)


class _Server:
    def __init__(self, address: Address, log_file: Path, idle_s: float) -> None:
        self._address, self._idle_s = address, idle_s
        self._info = EngineInfo(
            pid=os.getpid(),
            socket=str(address.socket),
            log=str(log_file),
            started=now(),
            home=str(data_root()),
            version=this_version(),
        )
        self._over = asyncio.Event()
        self._why = ""
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._service = Service(self._end, self._hold_model)

    async def run(self) -> bool:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, f"it got {number.name}")
        # The line over which it was started may drop.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        worker = threading.Thread(target=self._service.scheduler.run, name="model", daemon=True)
        worker.start()
        before = os.umask(0o177)
        try:
            server = await asyncio.start_unix_server(self._greet, str(self._address.socket), limit=wire.LIMIT)
        finally:
            os.umask(before)
        # Only now: whoever finds the entry may connect.
        self._write_entry()
        log.info("engine %d listens at %s", self._info.pid, self._address.socket)
        idle = asyncio.create_task(self._end_when_idle())
        await self._over.wait()
        log.info("ends: %s", self._why)
        idle.cancel()
        server.close()
        self._address.entry.unlink(missing_ok=True)
        self._service.shut("the engine has ended")
        await asyncio.to_thread(worker.join, LAST_WORD_S)
        # The last answers are sent from this loop, and what is being fetched is let go of.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                while self._service.is_busy:
                    await asyncio.sleep(0.02)
        for connection, task in list(self._connections.items()):
            task.cancel()
            await connection.close()
        return not worker.is_alive()

    def _end(self, why: str) -> None:
        self._why = self._why or why
        self._over.set()

    async def _end_when_idle(self) -> None:
        while True:
            left = self._service.last_active + self._idle_s - asyncio.get_running_loop().time()
            if left <= 0 and not self._service.is_busy:
                return self._end(f"nothing to do for {self._idle_s:g} s")
            # What is being done now is looked at again after a whole span, for its end begins a new one.
            await asyncio.sleep(left if left > 0 else self._idle_s)

    def _hold_model(self, name: str | None) -> None:
        self._info = EngineInfo(**{**asdict(self._info), "model": name})
        if self._address.entry.exists():
            self._write_entry()

    def _write_entry(self) -> None:
        write_atomic(self._address.entry, orjson.dumps(self._info))

    # Clients

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection, task = Connection(writer), asyncio.current_task()
        assert task is not None
        self._connections[connection] = task
        try:
            with contextlib.suppress(OSError):
                await self._listen(reader, connection)
        except asyncio.CancelledError:
            pass  # The engine ends, and hangs up itself.
        except Exception:
            log.exception("a client's line failed")
        finally:
            del self._connections[connection]
            connection.left()
            await connection.close()

    async def _listen(self, reader: asyncio.StreamReader, connection: Connection) -> None:
        while True:
            try:
                line = await reader.readline()
            except ValueError:
                connection.refuse(None, DctError(f"a line is longer than {wire.LIMIT} bytes", "send less at once"))
                return
            if not line.endswith(b"\n"):
                return
            try:
                asked = wire.parse(line)
            except wire.Refused as error:
                connection.refuse(error.id, error)
                continue
            try:
                self._service.take(connection, asked)
            except DctError as error:
                connection.refuse(asked.id, error)
            except Exception as error:
                log.exception("%s failed", asked.request.do)
                connection.refuse(asked.id, error)
