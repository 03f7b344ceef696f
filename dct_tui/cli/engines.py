"""`dct-tui engines`: the processes that hold a model, and their end."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import DctError
from ..paths import data_root
from .options import Json
from .output import note, print_json, print_table

if TYPE_CHECKING:
    from ..engine.answers import EngineState
    from ..engine.registry import EngineInfo

END_S = 40.0
PAUSE_S = 0.05


def engines(
    stop: Annotated[
        str | None,
        typer.Option(
            metavar="PID|all",
            help="End that engine, or all of this data folder. A fit keeps its last finished iteration.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List the engines: processes of the workbench that hold a model and go on when it is closed.

    An engine ends by itself after half an hour without work (DCT_TUI_ENGINE_IDLE=SECONDS sets another time).
    """
    import asyncio

    from ..engine.registry import list_engines

    found = list_engines()
    if stop is not None:
        asyncio.run(_stop(_chosen(found, stop)))
        return
    states = asyncio.run(_ask(found))
    if json:
        for info, state in zip(found, states, strict=True):
            print_json({**asdict(info), "answers": state is not None, **(asdict(state) if state else {})})
    elif not found:
        note("no engines: the workbench starts one when it needs it")
    else:
        headers = ["pid", "model", "does", "since", "memory", "idle"]
        rows = [_row(info, state) for info, state in zip(found, states, strict=True)]
        if any(info.home != str(data_root()) for info in found):
            headers.append("data folder")
            rows = [(*row, _home(info)) for row, info in zip(rows, found, strict=True)]
        print_table(headers, rows)


def _chosen(found: list[EngineInfo], text: str) -> list[EngineInfo]:
    # Those of other data folders are somebody's other work: they are ended one by one.
    home = str(data_root())
    chosen = [info for info in found if text == str(info.pid) or (text == "all" and info.home == home)]
    if not chosen and text != "all":
        raise DctError(f"there is no engine {text!r}", "`dct-tui engines` lists those there are")
    return chosen


async def _ask(found: list[EngineInfo]) -> list[EngineState | None]:
    """What each is doing; None of one that does not answer."""
    import asyncio

    from ..engine.registry import connect

    async def ask(info: EngineInfo) -> EngineState | None:
        try:
            client = await connect(info)
        except DctError:
            return None
        state = client.state
        await client.close()
        return state

    return list(await asyncio.gather(*map(ask, found)))


async def _stop(chosen: list[EngineInfo]) -> None:
    import asyncio
    import os
    import signal

    from ..engine.registry import is_alive

    for info in chosen:
        # A signal reaches one that does not answer too. What it is asked to do is the same.
        try:
            os.kill(info.pid, signal.SIGTERM)
        except ProcessLookupError:
            continue
    waited = 0.0
    while left := [info.pid for info in chosen if is_alive(info)]:
        if waited > END_S:
            raise DctError(f"engine {left[0]} does not end", f"end it with kill -9 {left[0]}; sessions stay whole")
        await asyncio.sleep(PAUSE_S)
        waited += PAUSE_S
    for info in chosen:
        note(f"engine {info.pid} has ended")


def _row(info: EngineInfo, state: EngineState | None) -> tuple[object, ...]:
    since = _local(info.started).strftime("%m-%d %H:%M")
    if state is None:
        return info.pid, info.model or "-", "does not answer", since, "-", "-"
    return info.pid, _model(state), _doing(state), since, f"{state.memory / 1e9:.1f} GB", _idle(state)


def _home(info: EngineInfo) -> str:
    return "this one" if info.home == str(data_root()) else info.home


def _model(state: EngineState) -> str:
    return f"opening {state.loading}" if state.loading else state.model or "-"


def _doing(state: EngineState) -> str:
    words = [" ".join(filter(None, (_name(job), job.note, job.state * (job.state != "running")))) for job in state.jobs]
    return "; ".join(words) or "nothing"


def _name(job: Any) -> str:
    return f"{job.do} {job.session.rpartition('/')[2]}" if job.session else job.do


def _idle(state: EngineState) -> str:
    if state.jobs or not state.active:
        return "-"
    minutes = (datetime.now(UTC) - _local(state.active)).total_seconds() / 60
    return f"{minutes:.0f} min"


def _local(at: str) -> datetime:
    return datetime.fromisoformat(at).astimezone()
