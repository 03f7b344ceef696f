"""Wishes about a fit that is under way, brought to whoever is fitting."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dct_tui.engine.answers import JobState
from dct_tui.engine.errors import Cancelled
from dct_tui.engine.messages import ControlFit, ResumeFit
from dct_tui.errors import DctError
from dct_tui.sessions import Holder, Session

from .keymap import with_keys

if TYPE_CHECKING:
    from dct_tui.engine.client import Engine

    from .engine_link import EngineLink


def job_of(link: EngineLink, session: Session) -> JobState | None:
    """What an engine has to do on the fit of a session; None where that is nothing."""
    return next((job for engine in link.held if (job := _job(engine, session)) is not None), None)


async def resume(link: EngineLink, session: Session) -> None:
    """Has an engine go on with the fit of a session, and waits for its end, or until somebody stops it.

    Raises:
        DctError: as the engine says.
    """
    engine = await link.engine(session.record.model.spec)
    # Somebody who stops it sees so where that was asked.
    with suppress(Cancelled):
        await engine.begin(ResumeFit(session=str(session.path))).result()


async def control(link: EngineLink, session: Session, action: str) -> None:
    """Tells the engine that fits a session to pause, go on, stop or finish.

    Raises:
        DctError: nobody is fitting it, or a process that is no engine.
    """
    async with _engine_of(link, session) as engine:
        if engine is not None:
            await engine.ask(ControlFit(session=str(session.path), action=action))
            return
    raise DctError(
        f"this fit runs in {session.writer() or 'no process'}, which is no engine and cannot {action}",
        with_keys("{fit.stop} stops it, and {fit.resume} goes on in an engine from its last finished iteration"),
    )


async def stop(link: EngineLink, session: Session) -> None:
    """Stops a fit at its last finished iteration, whoever is fitting: an engine is asked, a command interrupted.

    Raises:
        DctError: nobody is fitting it, or a process on another host or of another user.
    """
    async with _engine_of(link, session) as engine:
        if engine is not None:
            await engine.ask(ControlFit(session=str(session.path), action="stop"))
            return
    holder = session.writer()
    if holder is None:
        raise DctError("nobody is fitting this session now", with_keys("{fit.resume} goes on with it"))
    if not _is_here(holder):
        raise DctError(f"this fit runs in {holder}", "press Ctrl-C there")
    # A command that was started in the background of a script has been told to ignore interrupts.
    which = signal.SIGTERM if _ignores_interrupts(holder.pid) else signal.SIGINT
    try:
        os.kill(holder.pid, which)
    except OSError as error:
        raise DctError(f"{holder} cannot be stopped: {error.strerror}", "press Ctrl-C there") from error


@asynccontextmanager
async def _engine_of(link: EngineLink, session: Session) -> AsyncIterator[Engine | None]:
    """The engine that is fitting a session, or has it before it; None where that is none."""
    holder = session.writer()
    for engine in link.held:
        fits = holder is not None and engine.state is not None and engine.state.pid == holder.pid
        if fits or _job(engine, session) is not None:
            yield engine
            return
    from dct_tui.engine.registry import connect, list_engines

    if holder is not None and _is_here(holder):
        for info in list_engines():
            if info.pid == holder.pid:
                client = await connect(info)
                try:
                    yield client
                finally:
                    await client.close()
                return
    yield None


def _job(engine: Engine, session: Session) -> JobState | None:
    jobs = engine.state.jobs if engine.state is not None else ()
    return next((job for job in jobs if job.session == str(session.path) and job.do in ("fit", "resume")), None)


def _is_here(holder: Holder) -> bool:
    return bool(holder.pid) and holder.host == socket.gethostname()


def _ignores_interrupts(pid: int) -> bool:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        (ignored,) = (int(line.split()[1], 16) for line in lines if line.startswith("SigIgn:"))
    except (OSError, ValueError):
        return False
    return bool(ignored >> (signal.SIGINT - 1) & 1)
