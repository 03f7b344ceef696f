"""Which engines there are, and how one is come by."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import orjson

from dct_tui.errors import DctError, SessionDamaged
from dct_tui.paths import data_root
from dct_tui.sessions.atomic import write_error
from dct_tui.sessions.decode import decode
from dct_tui.sessions.locks import holder

from .address import Address, address_of, engines_folder
from .answers import EngineState
from .client import EngineClient
from .errors import EngineGone
from .messages import Download

__all__ = ["EngineInfo", "connect", "engine_for", "is_alive", "list_engines", "log_of", "start_engine"]

PATIENCE_S = 10.0
_PAUSE_S = 0.02

_started: list[subprocess.Popen[bytes]] = []
"""Engines that this process has started: kept, so that those that end are buried."""


@dataclass(frozen=True, kw_only=True)
class EngineInfo:
    """What an engine says of itself in its folder, so that it need not be asked."""

    pid: int
    socket: str
    log: str
    started: str
    """UTC, ISO 8601."""
    home: str
    """The data folder it was started for."""
    version: str
    model: str | None = None
    """The name of the model it holds or is about to open."""


def list_engines() -> list[EngineInfo]:
    """The engines of this user that live, the oldest first. What dead ones left behind is removed.

    Raises:
        DctError: the folder of engines cannot be trusted.
    """
    found = []
    for entry in engines_folder().glob("engine-*.json"):
        address = Address(entry.with_suffix(".sock"), entry, entry.with_suffix(".lock"))
        if holder(address.lock) is None:
            _bury(address)
            continue
        # One that is ending takes its files away meanwhile.
        with contextlib.suppress(OSError, orjson.JSONDecodeError, SessionDamaged):
            found.append(decode(EngineInfo, orjson.loads(entry.read_bytes()), entry.name))
    return sorted(found, key=lambda info: (info.started, info.pid))


def is_alive(info: EngineInfo) -> bool:
    """Whether that engine's process is still there."""
    return holder(Path(info.socket).with_suffix(".lock")) is not None


async def connect(info: EngineInfo) -> EngineClient:
    """A line to an engine. Raises EngineGone where it has ended."""
    return await EngineClient.open(Path(info.socket), Path(info.log))


async def engine_for(model: str | None) -> EngineClient:
    """An engine of this data folder that holds the model; else one that does nothing; else a new one.

    Args:
        model: the name it is opened by; None takes any engine, whatever it is doing.

    Raises:
        DctError: none could be started; the error names the log file.
    """
    idle: EngineClient | None = None
    for info in _ours():
        try:
            client = await connect(info)
        except EngineGone:
            continue
        state = client.state
        if state is not None and (model is None or same_model(model, state)):
            if idle is not None:
                await idle.close()
            return client
        if state is not None and idle is None and _is_idle(state):
            idle = client
        else:
            await client.close()
    return idle if idle is not None else await connect(await start_engine())


async def start_engine(idle_s: float | None = None) -> EngineInfo:
    """A new engine, detached: it has its own session, and outlives this process and its terminal.

    Args:
        idle_s: after how many seconds without work it ends by itself; by default as its settings say.

    Raises:
        DctError: it did not come up; the error names the log file.
    """
    home = data_root()
    log = home / "logs" / f"engine-new-{secrets.token_hex(4)}.log"
    options = [] if idle_s is None else ["--idle", str(idle_s)]
    # Threads of torch that spin while they wait would take the processor that the screens need.
    environment = {"OMP_WAIT_POLICY": "passive", "KMP_BLOCKTIME": "0", **os.environ, "DCT_TUI_HOME": str(home)}
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "dct_tui.engine", "--log", str(log), *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=environment,
            )
    except OSError as error:
        raise write_error(error, log, 0) from error
    _started[:] = [known for known in _started if known.poll() is None]
    _started.append(process)
    address = address_of(process.pid)
    for _ in range(round(PATIENCE_S / _PAUSE_S)):
        if process.poll() is not None:
            break
        # Without the lock, an entry is one that a dead engine of the same process id left behind.
        if holder(address.lock) is not None:
            with contextlib.suppress(OSError, orjson.JSONDecodeError, SessionDamaged):
                return decode(EngineInfo, orjson.loads(address.entry.read_bytes()), address.entry.name)
        await asyncio.sleep(_PAUSE_S)
    renamed = log_of(home, process.pid)
    raise DctError("the engine did not start", f"see {renamed if renamed.exists() else log}")


def log_of(home: Path, pid: int) -> Path:
    """The log file of an engine."""
    return home / "logs" / f"engine-{pid}.log"


def same_model(name: str, state: EngineState) -> bool:
    """Whether an engine holds, or is opening, what is called so. A folder may be written in several ways."""
    held = {state.model, state.loading} - {None}
    return name in held or (os.sep in name and str(Path(name).expanduser().resolve()) in held)


def this_version() -> str:
    """Of the program: engines of other versions are left alone."""
    return version("dct-tui")


def _is_idle(state: EngineState) -> bool:
    # A download needs no model, and leaves the engine free for one.
    return state.loading is None and all(job.do == Download.do for job in state.jobs)


def _ours() -> list[EngineInfo]:
    home, ours = str(data_root()), this_version()
    return [info for info in list_engines() if info.home == home and info.version == ours]


def _bury(address: Address) -> None:
    for path in (address.socket, address.entry, address.lock):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
