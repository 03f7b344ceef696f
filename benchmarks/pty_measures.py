"""The measurements of the terminal benchmark: each drives the real program on a pseudo-terminal of 120 × 40."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any, TypeVar

from benchmarks.pty_terminal import DCT_TUI, Burst, Terminal
from dct_tui.engine.messages import FitChoice, ModelChoice, Quit, StartFit
from dct_tui.engine.registry import connect, engine_for, list_engines
from dct_tui.paths import data_root
from dct_tui.prompts import read_prompts
from dct_tui.sessions import Session
from dct_tui.sessions.chats import ChatLog, ChatSettings

PLACES = ("home", "fit", "features", "chat", "export")
IDLE_S = 4.0
PROMPTS = Path(__file__).parent.parent / "assets" / "prompts" / "builtin-fit.txt"

Value = TypeVar("Value")


@contextmanager
def opened(home: Path, session: str | None = None, place: int | None = None) -> Iterator[Terminal]:
    """The workbench on a terminal, at a place of a session by its number, once it is quiet."""
    arguments = ["--session", session] if session is not None else []
    with Terminal([*DCT_TUI, *arguments], environment={"DCT_TUI_HOME": str(home)}) as terminal:
        terminal.wait_for(Path(session).name if session else "1 home")
        terminal.take()
        if place is not None:
            terminal.press(str(place), quiet=1.0)
        yield terminal
        terminal.press("quit", quiet=0.1)


def first_paint(home: Path, runs: int) -> dict[str, float]:
    """Seconds from starting the program until its first screen stands."""
    seconds = []
    for _ in range(runs):
        with Terminal(environment={"DCT_TUI_HOME": str(home)}) as terminal:
            seconds.append(terminal.wait_for(lambda shown: "home" in shown.splitlines()[0] and "s512" in shown))
            terminal.take()
            terminal.press("quit", quiet=0.1)
    return {"first_paint_s": round(median(seconds), 3)}


def idle(home: Path, session: str) -> dict[str, float]:
    """Bytes a second that each screen writes while nothing happens."""
    found = {}
    with opened(home, session) as terminal:
        for number, name in enumerate(PLACES, 1):
            terminal.press("escape", quiet=0.5)  # Out of the chat's box, where a number is a number.
            terminal.press(str(number), quiet=1.5)
            found[f"idle_bytes_per_s_{name}"] = _after(terminal, IDLE_S) / IDLE_S
    return {**found, "idle_bytes_per_s": max(found.values())}


def _after(terminal: Terminal, seconds: float) -> int:
    end, count = time.perf_counter() + seconds, 0
    while (left := end - time.perf_counter()) > 0:
        count += len(terminal.take(quiet=left, limit=left).data)
    return count


def triage(home: Path, session: str, runs: int) -> dict[str, float]:
    """Bytes of a cursor move, of the reading pane that follows after .15 s without a key, of a mark, of a page."""
    with opened(home, session, 3) as terminal:
        moves = [terminal.press("j") for _ in range(runs)]
        pages = [terminal.press("page down") for _ in range(3)]
        marks = [terminal.press(key) for key in "sxsx" for _ in range(runs // 4)]
    return {
        "cursor_bytes": _bytes(burst.split()[0] for burst in moves),
        "cursor_ms": _milliseconds(burst.split()[0] for burst in moves),
        "pane_bytes": _bytes(burst.split()[1] for burst in moves),
        "page_bytes": _bytes(burst.split()[0] for burst in pages),
        "mark_bytes": _bytes(burst.split()[0] for burst in marks),
        "mark_ms": _milliseconds(burst.split()[0] for burst in marks),
    }


def filtering(home: Path, session: str, runs: int) -> dict[str, float]:
    """Milliseconds from enter until a filter on every sample has been painted."""
    bursts = []
    with opened(home, session, 3) as terminal:
        for number in range(runs):
            terminal.press("/")
            terminal.press(f"matey kl>{number / 10 + 1}")
            bursts.append(terminal.press("enter"))
            terminal.press("escape")
    return {"filter_ms": _milliseconds(burst.split()[0] for burst in bursts)}


def echo(home: Path, session: str, keys: int) -> dict[str, float]:
    """Milliseconds from a key to the cursor's move, nineteen of twenty, while an engine is fitting."""
    with fitting(home), opened(home, session, 3) as terminal:
        waits = []
        for number in range(keys):
            burst = terminal.press("jk"[number % 2], quiet=0.06)
            if burst.pieces:
                waits.append(1000 * burst.pieces[0][0])
    return {"echo_p95_ms": round(quantiles(waits, n=20)[-1], 1), "echo_median_ms": round(median(waits), 1)}


def streaming(home: Path, runs: int) -> dict[str, float]:
    """Bytes a token of a reply that the built-in model streams, all that its end repaints included."""
    from tokenizers import Tokenizer

    session = Session.open(run(home, partial(fit_builtin, factors=8, iterations=1)))
    # So hot that the model says any word at all, and goes on until the limit: its own replies are of some ten tokens.
    with session.writing("chats"):
        ChatLog(session.chat("long")).choose(ChatSettings(temperature=100.0, max_new_tokens=60))
    words = Tokenizer.from_file(str(Path(session.record.model.path) / "tokenizer.json"))
    bytes_each, speeds = [], []
    with opened(home, str(session.path), 4) as terminal:
        for _ in range(min(runs, 3)):  # More would not fit in the model's context.
            terminal.press("where does the swan live?")
            burst = terminal.press("enter", quiet=3.0)
            message = session.chat("long").last() or {}
            count = len(words.encode(str(message.get("content", ""))).ids)
            bytes_each.append(len(burst.data) / max(1, count))
            speeds.append(count / burst.last_s)
    run(home, quit_engines)
    return {"token_bytes": round(median(bytes_each)), "tokens_per_s": round(median(speeds))}


def _bytes(bursts: Iterator[Burst]) -> float:
    return median(len(burst.data) for burst in bursts)


def _milliseconds(bursts: Iterator[Burst]) -> float:
    return round(1000 * median(burst.last_s for burst in bursts), 1)


# Engines


@contextmanager
def fitting(home: Path) -> Iterator[Path]:
    """An engine that fits the built-in model until it is told to quit; gives the session."""
    path = run(home, partial(fit_builtin, factors=128, iterations=10_000, wait=False))
    try:
        yield path
    finally:
        run(home, quit_engines)


async def fit_builtin(factors: int, iterations: int, *, wait: bool = True) -> Path:
    """Has an engine fit the built-in model into a new session; returns when it is done, or else when it fits."""
    engine = await engine_for("builtin")
    fit = FitChoice(prompts=tuple(read_prompts(PROMPTS)), factors=factors, iterations=iterations)
    job = engine.begin(StartFit(model=ModelChoice(name="builtin"), fit=fit))
    session = ""
    async for event in job:
        session = event.get("session", session)
        if event.get("stage") == "fit" and not wait:
            break
    else:
        await job.result()
    await engine.close()
    return Path(session)


async def quit_engines() -> None:
    """Ends the engines of the data folder in force."""
    for info in list_engines():
        if info.home == str(data_root()):
            client = await connect(info)
            await client.ask(Quit())
            await client.close()


def run(home: Path, work: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
    """Runs a coroutine function with that data folder in force."""
    before = os.environ.get("DCT_TUI_HOME")
    os.environ["DCT_TUI_HOME"] = str(home)
    try:
        return asyncio.run(work())
    finally:
        if before is None:
            del os.environ["DCT_TUI_HOME"]
        else:
            os.environ["DCT_TUI_HOME"] = before
