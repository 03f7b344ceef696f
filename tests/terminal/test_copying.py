"""Copying from the workbench's own screens, in a tmux as it comes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.pty_terminal import DCT_TUI
from benchmarks.pty_tmux import Tmux, has_tmux
from benchmarks.synthetic import Size, make_session


@pytest.mark.skipif(not has_tmux(), reason="there is no tmux")
def test_a_feature_and_a_command_reach_tmux_and_it_is_said(home: Path, tmp_path: Path) -> None:
    session = make_session(home / "sessions" / "one", Size(factors=4, width=8, sampled=0))
    with Tmux(tmp_path, [*DCT_TUI, "--session", str(session.path)]) as tmux:
        tmux.wait_for("3 features")
        tmux.send("y")
        tmux.wait_for("copied to tmux")
        assert tmux.buffer().startswith("feature 0 (rank 1")
        tmux.send("5")
        tmux.wait_for("5 export")
        tmux.send("y")
        tmux.wait_for("Copy which?")
        tmux.send("Enter")
        tmux.wait_for(lambda shown: tmux.buffer().startswith(f"dct-tui export {session.path} --features 0"))
        tmux.wait_for("copied to tmux")
