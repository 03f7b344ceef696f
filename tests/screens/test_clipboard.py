"""Copying: which way it goes, and that it arrives in a tmux as it comes."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from benchmarks.pty_tmux import Tmux, has_tmux
from dct_tui.screens.app import Workbench
from dct_tui.screens.clipboard import copy

TEXT = "añ日\n'\"$(x) \x1b[31m"
PROGRAM = """
import sys
from textual.app import App
from dct_tui.screens.clipboard import copy

class Copies(App[None]):
    async def on_mount(self) -> None:
        self.exit(await copy(self, sys.argv[1]))

print(Copies().run())
input()
"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs, the only one on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def stand_in(folder: Path, script: str) -> None:
    path = folder / "tmux"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


async def test_outside_tmux_the_terminal_is_asked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    app = Workbench()
    async with app.run_test():
        said = await copy(app, TEXT)
        assert app.clipboard == TEXT
    assert "if your terminal allows it" in said and str(home / "clipboard.txt") in said
    assert (home / "clipboard.txt").read_text() == TEXT
    assert stat.S_IMODE((home / "clipboard.txt").stat().st_mode) == 0o600


async def test_what_no_terminal_takes_lies_in_the_file_only(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    app = Workbench()
    async with app.run_test():
        assert "too long" in await copy(app, "é" * 40_000)
        assert app.clipboard == "" and (home / "clipboard.txt").stat().st_size == 80_000


@pytest.mark.parametrize(
    ("script", "way", "osc"),
    [
        ("exit 0", "copied to tmux, and to its terminal", False),
        ('[ "$2" = -w ] && exit 1; exit 0', "copied to tmux (its paste key)", False),
        ("exit 1", "if your terminal allows it", True),
    ],
)
async def test_inside_tmux_it_is_asked_first(
    home: Path, tools: Path, monkeypatch: pytest.MonkeyPatch, script: str, way: str, osc: bool
) -> None:
    monkeypatch.setenv("TMUX", "/nowhere,1,0")
    stand_in(tools, script)
    app = Workbench()
    async with app.run_test():
        assert way in await copy(app, TEXT)
        assert (app.clipboard == TEXT) == osc


async def test_a_tmux_that_is_not_there_and_a_full_disk(
    home: Path, tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMUX", "/nowhere,1,0")
    home.write_text("in the way")
    app = Workbench()
    async with app.run_test():
        assert await copy(app, TEXT) == "copied by OSC 52, if your terminal allows it"


@pytest.mark.skipif(not has_tmux(), reason="there is no tmux")
def test_it_arrives_in_a_real_tmux(home: Path, tmp_path: Path) -> None:
    program = tmp_path / "copies.py"
    program.write_text(PROGRAM)
    text = "dct-tui chat 'a b' --steer 2:1 # añ日"
    with Tmux(tmp_path, [sys.executable, str(program), text], columns=200) as tmux:
        tmux.wait_for("copied to tmux")
        assert tmux.buffer() == text
