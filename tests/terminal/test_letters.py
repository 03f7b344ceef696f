"""Terminals that have letters alone: who is taken for one, and that nothing else is written to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from benchmarks.synthetic import HOSTILE, Size, make_session, mark
from dct_tui.inert import one_line
from dct_tui.screens.letters import PLAIN, Letters, has_signs
from tests.terminal.fits import Open

UTF = "utf-8"


@pytest.mark.parametrize(
    ("environment", "encoding", "signs"),
    [
        ({"LANG": "en_GB.UTF-8", "TERM": "xterm-256color"}, UTF, True),
        ({"TERM": "screen"}, UTF, True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, UTF, False),
        ({"LANG": "C", "LC_CTYPE": "de_DE.UTF-8"}, UTF, True),
        ({"LC_CTYPE": "C.UTF-8"}, UTF, True),
        ({"LANG": "C.UTF-8"}, UTF, True),
        ({"LC_ALL": "POSIX", "LANG": "C.UTF-8"}, UTF, False),
        ({"LANG": "de_DE.ISO-8859-1"}, UTF, False),
        ({"LANG": "C.UTF-8"}, "ascii", False),
        ({"LANG": "C.UTF-8", "TERM": "linux"}, UTF, False),
    ],
)
def test_who_has_signs(environment: dict[str, str], encoding: str, signs: bool) -> None:
    assert has_signs(environment, encoding) is signs


@pytest.mark.parametrize("text", [*PLAIN, *(one_line(text, 400) for text in HOSTILE), "┌─┬─┐│█▁⣿⠁⠀", "é ß ﬁ Ω"])
def test_every_line_keeps_its_columns(text: str) -> None:
    (shown,) = Letters().apply([Segment(text)], Color(0, 0, 0))
    assert shown.text.isascii() and cell_len(shown.text) == cell_len(text)


@pytest.mark.parametrize(
    "environment", [{"LANG": "C", "LC_ALL": None}, {"PYTHONIOENCODING": "ascii"}, {"TERM": "linux"}]
)
def test_a_terminal_of_letters(home: Path, workbench: Open, environment: dict[str, str | None]) -> None:
    session = make_session(home / "sessions" / "one", Size(factors=12, width=16, sampled=12), texts=HOSTILE)
    mark(session, star=[0], reject=[1])
    terminal = workbench(session, environment=environment)
    terminal.wait_for("3 features")
    terminal.wait_for("1* 1x")
    rows = terminal.text.splitlines()
    assert any(row.startswith("> *") for row in rows) and any(row.startswith("  x") for row in rows)
    for key, seen in (("2", "+ fitted"), ("5", "safetensors"), ("1", "@ fitted"), ("?", "On this screen")):
        terminal.press(key)
        terminal.wait_for(seen)
    assert bytes(terminal.written).isascii()
