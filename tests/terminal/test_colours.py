"""Few colours and none: what a default tmux shows, and `NO_COLOR`. Meaning never hangs on a hue."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.pty_stream import has_24_bits, has_colours, tokens
from benchmarks.pty_terminal import DCT_TUI
from benchmarks.pty_tmux import Tmux, has_tmux
from benchmarks.synthetic import Size, make_session, mark
from dct_tui.sessions import Session
from tests.terminal.places import SEEN

pytestmark = pytest.mark.skipif(not has_tmux(), reason="there is no tmux")

IN_FRONT = (
    ("?", "On this screen", "q"),
    ("C-p", "what to do", "C-x"),
    ("t", "enter takes it", "C-x"),
    ("L", "file", "q"),
)
"""What can stand in front of the features: the key that opens it, what it shows, the key that closes it."""


@pytest.fixture
def judged(home: Path) -> Session:
    """A session with a starred and a rejected feature."""
    session = make_session(home / "sessions" / "one", Size(factors=12, width=16, sampled=12))
    mark(session, star=[0, 3], reject=[1])
    return session


def check(shown: str, where: str, *, colours: bool) -> None:
    pieces = list(tokens(shown))
    assert not any(map(has_24_bits, pieces)), f"{where}: colours that a default tmux has not"
    assert colours or not any(map(has_colours, pieces)), f"{where}: colours in spite of NO_COLOR"


@pytest.mark.parametrize("theme", ["dark", "light", "blue-orange", "red-teal", "terminal"])
@pytest.mark.parametrize("colours", [True, False])
def test_every_screen(judged: Session, tmp_path: Path, theme: str, colours: bool) -> None:
    environment = {} if colours else {"NO_COLOR": "1"}
    command = [*DCT_TUI, "--session", str(judged.path), "--theme", theme]
    with Tmux(tmp_path, command, columns=120, rows=40, environment=environment) as tmux:
        tmux.wait_for(SEEN["3"])
        for key, seen in SEEN.items():
            tmux.send(key)
            shown = tmux.wait_for(seen)
            check(tmux.coloured(), seen, colours=colours)
            if key == "3":
                assert "★" in shown and "✗" in shown and "›" in shown, "marks and cursor are glyphs too"


@pytest.mark.parametrize("colours", [True, False])
def test_what_stands_in_front(judged: Session, tmp_path: Path, colours: bool) -> None:
    environment = {} if colours else {"NO_COLOR": "1"}
    command = [*DCT_TUI, "--session", str(judged.path)]
    with Tmux(tmp_path, command, columns=120, rows=40, environment=environment) as tmux:
        tmux.wait_for(SEEN["3"])
        for key, seen, close in IN_FRONT:
            tmux.send(key)
            tmux.wait_for(seen)
            check(tmux.coloured(), seen, colours=colours)
            tmux.send(close)
            tmux.wait_for(lambda shown, seen=seen: seen not in shown)


def test_the_places_and_the_cursor_can_be_told_without_colours(judged: Session, tmp_path: Path) -> None:
    """By reverse and bold: the place one is at, and the row under the cursor."""
    command = [*DCT_TUI, "--session", str(judged.path)]
    with Tmux(tmp_path, command, columns=120, rows=40, environment={"NO_COLOR": "1"}) as tmux:
        for key in ("1", "3"):
            tmux.wait_for(SEEN["3"])
            tmux.send(key)
            tmux.wait_for(SEEN[key])
            lines = tmux.coloured().splitlines()
            here = re.search(r"\x1b\[(?:\d+;)*7m ?(\d \w+) ", lines[0])
            assert here and here[1] == {"1": "1 home", "3": "3 features"}[key]
            (cursor,) = [line for line in lines if "›" in line]
            assert re.search(r"\x1b\[(?:\d+;)*7m *›", cursor), cursor
            if key == "1":
                tmux.send("3")
