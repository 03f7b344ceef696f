"""What can be asked for when the workbench is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.pty_terminal import DCT_TUI, Terminal

MOUSE = (b"\x1b[?1000h", b"\x1b[?1003h")
WHITE = b"48;2;255;255;255"


@pytest.mark.parametrize("mouse", [True, False])
def test_the_mouse_is_left_to_the_terminal_where_that_is_wished(home: Path, mouse: bool) -> None:
    with Terminal([*DCT_TUI, *([] if mouse else ["--no-mouse"])]) as terminal:
        terminal.wait_for("n new")
        assert any(asked in terminal.written for asked in MOUSE) is mouse


@pytest.mark.parametrize(("theme", "white"), [("light", True), ("dark", False)])
def test_a_theme_is_taken(home: Path, theme: str, white: bool) -> None:
    with Terminal([*DCT_TUI, "--theme", theme]) as terminal:
        terminal.wait_for("n new")
        assert (WHITE in terminal.written) is white


def test_an_unknown_theme_is_said_and_another_taken(home: Path) -> None:
    with Terminal([*DCT_TUI, "--theme", "purple"]) as terminal:
        terminal.wait_for("there is no theme 'purple'")
        terminal.wait_for("n new")
