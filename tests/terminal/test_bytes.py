"""What a key costs on the line to the terminal, in bytes: the budgets of `benchmarks.terminal` on a small session."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from benchmarks.pty_terminal import Terminal
from benchmarks.synthetic import Size, make_session
from benchmarks.terminal import BUDGETS
from tests.terminal.fits import Open
from tests.terminal.places import SEEN

PAUSE_S = 0.1
"""Longer than what a key changes takes; the reading pane follows 150 ms after the key."""


def cost(terminal: Terminal, key: str) -> int:
    """Bytes that come at once; the pane that follows is waited for, so that it is not counted with the next key."""
    return len(terminal.press(key, quiet=0.3).split(PAUSE_S)[0].data)


def test_keys_cost_what_they_change(home: Path, workbench: Open) -> None:
    session = make_session(home / "sessions" / "one", Size(factors=200, sampled=60))
    terminal = workbench(session, columns=120, rows=40)
    terminal.wait_for("3 features")
    terminal.take()
    moves = [cost(terminal, "j") for _ in range(7)]
    pages = [cost(terminal, "page down") for _ in range(3)]
    marks = [cost(terminal, key) for key in "sxsxs"]
    assert 0 < median(moves) <= BUDGETS["cursor_bytes"], moves
    assert 0 < median(pages) <= BUDGETS["page_bytes"], pages
    assert 0 < median(marks) <= BUDGETS["mark_bytes"], marks
    assert "3★ 2✗" in terminal.text


def test_nothing_is_written_where_nothing_happens(home: Path, workbench: Open) -> None:
    session = make_session(home / "sessions" / "one", Size(factors=20, sampled=20))
    terminal = workbench(session, columns=120, rows=40)
    terminal.wait_for("3 features")
    terminal.take()
    for key, seen in SEEN.items():
        terminal.press(key, quiet=0.1)
        terminal.wait_for(seen)
        terminal.take(quiet=0.5)
        # Two beats of the screen's pulse.
        assert terminal.take(quiet=1.1).data == b"", seen
