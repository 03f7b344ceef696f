"""Samples, chats, prompts and names that hold escape sequences: only the program's own reach the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.pty_stream import Picture, tokens
from benchmarks.pty_terminal import DCT_TUI
from benchmarks.pty_tmux import Tmux, has_tmux
from benchmarks.synthetic import HOSTILE, PROMPTS, Size, make_session
from dct_tui.sessions import PromptSet, Session
from dct_tui.triage.triage import Triage
from tests.terminal.fits import Open
from tests.terminal.places import SEEN

SMALL = Size(factors=12, width=16, sampled=2, strengths=(1.0,), prompts=len(PROMPTS))
OURS = {
    *("m", "H"),  # colours and places
    *("?h", "?l", "?$p", ">u", "<u", "u", "?u"),  # modes, asked for and set
    *("t", "c", ">c", "n"),  # questions to the terminal
}
MODES = {7, 25, 1000, 1002, 1003, 1004, 1006, 1015, 1016, 1049, 2004, 2026, 2027, 2031, 2048}


@pytest.fixture
def hostile(home: Path) -> Session:
    """A session of which everything that is shown is hostile."""
    texts = [HOSTILE[place % len(HOSTILE)] for place in range(2 * len(PROMPTS) * 3)]
    session = make_session(
        home / "sessions" / "one",
        SMALL,
        texts=texts,
        prompts=PromptSet.of([*HOSTILE[:5], "ordinary"], PROMPTS),
        failure=HOSTILE[0] + HOSTILE[3],
    )
    with session.writing("chats"):
        for text in HOSTILE:
            session.chat("one").append({"role": "user", "content": text})
            session.chat("one").append({"role": "assistant", "content": text, "setting": [], "seed": 0})
    return session


def foreign(stream: str) -> list[str]:
    """The sequences and controls in a stream that the program has no reason to write."""
    return [
        token.whole
        for token in tokens(stream)
        if (token.kind == "csi" and token.final not in OURS)
        or (token.final in ("?h", "?l") and not set(token.numbers) <= MODES)
        or (token.kind == "control" and token.whole not in "\r\n")
        or (token.kind == "osc" and not token.whole.startswith(("\x1b]22;", "\x1b]52;")))
        or token.kind == "other"
    ]


def test_the_checker_knows_what_is_foreign() -> None:
    assert foreign("\x1b[1;1H\x1b[38;2;1;2;3mtext\x1b[0m\r\n\x1b[?1049h") == []
    for text in (*HOSTILE[:2], HOSTILE[8]):
        assert foreign(text), text
    assert foreign("\x9b31m") == ["\x9b"] and foreign("\x1b[2J") == ["\x1b[2J"] and foreign("\x1bc") == ["\x1bc"]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_only_our_own_sequences_reach_the_terminal(hostile: Session, workbench: Open, size: tuple[int, int]) -> None:
    terminal = workbench(hostile, columns=size[0], rows=size[1])
    terminal.wait_for("3 features")
    terminal.take()
    for key in ("enter", "l", "j", "j", "k", "escape", "q", "2", "i", "escape", "4", "escape", "5", "1", "i"):
        terminal.press(key, quiet=0.15)
        assert terminal.process.poll() is None, terminal.text
    stream = bytes(terminal.written).decode("utf-8", "strict")
    assert foreign(stream) == []
    for mark in "\u202e\u2066\u200f\x9b":
        assert mark not in stream


@pytest.mark.skipif(not has_tmux(), reason="there is no tmux")
def test_the_layout_holds_in_tmux(hostile: Session, home: Path, tmp_path: Path) -> None:
    """First and last line stay where they are, on every screen, whatever stands between them."""
    command = [*DCT_TUI, "--session", str(hostile.path)]
    with Tmux(tmp_path, command, columns=120, rows=40) as tmux:
        tmux.wait_for("3 features")
        for key, seen in SEEN.items():
            tmux.send(key)
            lines = tmux.wait_for(seen).splitlines()
            assert "? help" in lines[-1]
            assert lines[0].startswith(" 1 home  2 fit  3 features  4 chat  5 export") and len(lines) == 40


def test_the_picture_is_what_was_written() -> None:
    picture = Picture(10, 3)
    picture.feed("\x1b[?1049h\x1b[2;3Hab日本\x1b[1;1H\x1b[1mx\x1b[0m\r\ny\x1b[3;")
    assert picture.text == "x\ny ab日本\n"
    picture.feed("9H\x1b[?7lzz!")
    assert picture.text.splitlines()[2] == "        z!"


def test_only_our_own_sequences_reach_the_terminal_from_lines_to_type_in(
    hostile: Session, home: Path, workbench: Open
) -> None:
    """Notes, tags, folders and prompts that are typed further, or completed."""
    evil = "evil\x1b]52;c;ZXZpbA==\x07\x1b[31mRED\u202e"
    (home / "aa\x1b[31mzz").mkdir()
    triage = Triage(hostile)
    triage.marks.take_pen()
    while triage.look().more:
        pass
    triage.mark("note", [0], evil)
    triage.mark("tag", [0], evil)
    triage.close()
    terminal = workbench(hostile, columns=80, rows=24)
    terminal.wait_for("3 features")
    terminal.take()
    lines = ("c", "escape", "t", "ev", "escape", "1", "o", f"{home}/a", "escape", "R", "escape", "d", "p", "enter")
    for key in ("g", *lines):
        terminal.press(key, quiet=0.15)
        assert terminal.process.poll() is None, terminal.text
    stream = bytes(terminal.written).decode("utf-8", "strict")
    assert foreign(stream) == [] and "\x1b[31m" not in stream and "ZXZpbA==\x07" not in stream
    assert "\u202e" not in stream and "]52;c;ZXZp" in stream, "the note was shown"
