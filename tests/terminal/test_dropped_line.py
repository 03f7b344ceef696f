"""Lines that drop and processes that are killed: fits go on, and nothing that was marked or said is lost."""

from __future__ import annotations

import os
import random
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pty_terminal import Terminal
from benchmarks.synthetic import Size, make_session
from dct_tui.inert import one_line
from dct_tui.sessions import Session, replay
from tests.terminal.fits import Open, iterations, start_fit, until

SMALL = Size(factors=40, width=16, sampled=40)


def drop(terminal: Terminal, how: str) -> None:
    """Ends the screens from outside, and waits for that."""
    if how == "line":
        terminal.hang_up()
        terminal.process.wait(30)
    else:
        terminal.kill(signal.Signals[how])


def test_a_fit_goes_on_without_the_screens(home: Path, llama: Path, workbench: Open) -> None:
    path = home / "sessions" / "long"
    engine = start_fit(path, str(llama))
    session = Session.open(path)
    for how in ("line", "SIGHUP", "SIGKILL"):
        terminal = workbench(session)
        terminal.wait_for("● fitting")
        terminal.wait_for(f"process {engine}")
        drop(terminal, how)
        before = iterations(session)[-1:]
        until(lambda before=before: iterations(session)[-1:] > before, "an iteration after the line dropped")
        os.kill(engine, signal.SIGHUP)
    writer = session.writer()
    assert writer is not None and writer.pid == engine
    numbers = iterations(session)
    assert numbers == list(range(1, len(numbers) + 1)), "one fit, never begun again"


@pytest.mark.parametrize("seed", range(2))
def test_a_killed_engine_loses_no_finished_iteration(home: Path, llama: Path, workbench: Open, seed: int) -> None:
    draw = random.Random(seed)
    path = home / "sessions" / "long"
    engine = start_fit(path, str(llama))
    session = Session.open(path)
    after = draw.randrange(1, 6)
    until(lambda: len(iterations(session)) >= after, f"{after} iterations")
    os.kill(engine, signal.SIGKILL)
    until(lambda: session.writer() is None, "the lock is free")
    checkpoint = session.read_checkpoint()
    assert checkpoint is not None
    done = iterations(session)
    assert done[-1] - checkpoint.iteration in (0, 1), "an entry of the journal may be ahead of the checkpoint"
    terminal = workbench(session)
    terminal.wait_for("■ interrupted")
    terminal.press("r", quiet=0.05)
    until(lambda: len(iterations(session)) > len(done), "an iteration after the engine was killed")
    assert iterations(session)[len(done)] == checkpoint.iteration + 1
    terminal.wait_for("● fitting")
    writer = session.writer()
    assert writer is not None and writer.pid != engine


def test_a_reply_goes_on_without_the_screens(home: Path, llama: Path, workbench: Open) -> None:
    path = home / "sessions" / "one"
    engine = start_fit(path, str(llama), wait=True, factors=4, iterations=1)
    session = Session.open(path)
    terminal = workbench(session)
    terminal.wait_for("3 features")
    terminal.press("s")
    terminal.wait_for("1★")
    terminal.press("4")
    terminal.wait_for("enter send")
    terminal.press("Tell me of the sea.")
    terminal.press("enter", quiet=0.01)
    # The rest of the reply waits until the line has dropped.
    terminal.wait_for(lambda shown: len(replied(shown)) > 20)
    os.kill(engine, signal.SIGSTOP)
    drop(terminal, "line")
    assert [message["role"] for message in messages(session)] == ["user"]
    os.kill(engine, signal.SIGCONT)
    reply = until(lambda: [one for one in messages(session) if one["role"] == "assistant"], "the end of the reply")[0]
    assert not reply["stopped"] and len(reply["content"]) > 20
    again = workbench(session)
    again.wait_for("★")
    again.press("4")
    again.wait_for(one_line(reply["content"], 100)[:8])


def replied(shown: str) -> str:
    """What stands below the message in the transcript, without spaces."""
    _, sent, below = shown.partition("› Tell me of the sea.")
    return "".join("".join(below.splitlines()[:-3]).split()) if sent else ""


def messages(session: Session) -> list[dict[str, Any]]:
    """What was said in the only chat of a session."""
    names = session.chat_names()
    return [event for event in session.chat(names[0]).read().records if "role" in event] if names else []


@pytest.mark.parametrize("seed", range(4))
def test_killed_screens_lose_no_mark(home: Path, workbench: Open, seed: int) -> None:
    """Marks are made as fast as keys come; what was on the screen as a mark is in the journal."""
    draw = random.Random(seed)
    session = make_session(home / "sessions" / "one", SMALL)
    terminal = workbench(session, columns=120, rows=50)
    terminal.wait_for("3 features")
    terminal.take()
    for _ in range(draw.randrange(5, 20)):
        terminal.press(draw.choice("ssxjk"), quiet=draw.random() / 50)
    drop(terminal, draw.choice(["line", "SIGHUP", "SIGKILL"]))
    shown = shown_marks(terminal)
    marks, notices = session.read_marks()
    state = replay(marks)
    assert not notices
    assert shown["★"] <= set(state.starred()) and shown["✗"] <= set(state.rejected())
    again = workbench(session, columns=120, rows=50)
    again.wait_for("3 features")
    again.take()
    assert shown_marks(again) == {"★": set(state.starred()), "✗": set(state.rejected())}


def shown_marks(terminal: Terminal) -> dict[str, set[int]]:
    """The features that the list shows with each mark."""
    rows = [re.match(r"[› ] +([★✗]) +\d+ +(\d+) ", line) for line in terminal.text.splitlines()]
    return {glyph: {int(row[2]) for row in rows if row and row[1] == glyph} for glyph in "★✗"}
