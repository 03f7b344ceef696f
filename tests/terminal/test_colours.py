"""Few colours and none: what a default tmux shows, and `NO_COLOR`. Meaning never hangs on a hue."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.pty_stream import has_24_bits, has_colours, tokens
from benchmarks.pty_terminal import DCT_TUI
from benchmarks.pty_tmux import Tmux, has_tmux
from benchmarks.synthetic import Size, make_session, mark
from dct_tui.sessions import Session

pytestmark = pytest.mark.skipif(not has_tmux(), reason="there is no tmux")
PLACES = {"1": "home", "2": "fit", "3": "features", "4": "chat", "5": "export"}


@pytest.fixture
def judged(home: Path) -> Session:
    """A session with a starred and a rejected feature."""
    session = make_session(home / "sessions" / "one", Size(factors=12, width=16, sampled=12))
    mark(session, star=[0, 3], reject=[1])
    return session


@pytest.mark.parametrize("theme", ["dark", "light", "blue-orange", "red-teal", "terminal"])
@pytest.mark.parametrize("colours", [True, False])
def test_every_screen(judged: Session, tmp_path: Path, theme: str, colours: bool) -> None:
    environment = {} if colours else {"NO_COLOR": "1"}
    command = [*DCT_TUI, "--session", str(judged.path), "--theme", theme]
    with Tmux(tmp_path, command, columns=120, rows=40, environment=environment) as tmux:
        tmux.wait_for("3 features")
        for key, place in PLACES.items():
            tmux.send("Escape")
            tmux.send(key)
            tmux.wait_for(lambda text, place=place: place in text.splitlines()[0])
            pieces = list(tokens(tmux.coloured()))
            assert not any(map(has_24_bits, pieces)), f"{place}: colours that a default tmux has not"
            if not colours:
                assert not any(map(has_colours, pieces)), f"{place}: colours in spite of NO_COLOR"
        tmux.send("3")
        text = tmux.wait_for(lambda text: "★" in text and "✗" in text)
        assert "›" in text, "the cursor is a glyph too"
        tmux.send("4")
        tmux.wait_for("chat")
