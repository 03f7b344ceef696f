"""The whole way in a real tmux of 80 × 24: from nothing to vectors in files, by keys alone."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from benchmarks.pty_terminal import DCT_TUI
from benchmarks.pty_tmux import Tmux, has_tmux
from dct_tui.screens.workspace import Workspace
from dct_tui.sessions import Session, replay

FACTORS, ITERATIONS = 12, 2
LONG_S = 180.0


def to_row(tmux: Tmux, text: str) -> None:
    """Moves the cursor of a list down to the row with that text."""
    for _ in range(40):
        row = next((line for line in tmux.text().splitlines() if line.startswith("›")), "")
        if text in row:
            return
        tmux.send("j")
        tmux.wait_for(lambda shown, row=row: row not in shown.splitlines() or text in row)
    raise AssertionError(f"no row with {text!r} in\n{tmux.text()}")


def setting(tmux: Tmux, name: str, value: int) -> None:
    """Types a value into a setting of the fit."""
    tmux.wait_for(lambda shown: "enter takes it" not in shown)
    to_row(tmux, name)
    tmux.send("Enter")
    tmux.wait_for("enter takes it")
    # Textual hands letters to a field at once and other keys by a longer way: typed faster, they change places.
    tmux.send("C-u")
    tmux.wait_for("a number is needed")
    tmux.type(str(value))
    tmux.send("Enter")
    tmux.wait_for(lambda shown: re.search(rf"{name} +‹ {value} +›", shown) is not None)


@pytest.mark.skipif(not has_tmux(), reason="there is no tmux")
def test_from_nothing_to_vectors_in_files(home: Path, tmp_path: Path) -> None:
    with Tmux(tmp_path, DCT_TUI) as tmux:
        tmux.wait_for("try it on the built-in model")
        tmux.send("b")
        tmux.wait_for("ctrl+g start")
        tmux.wait_for("10 blocks", LONG_S)
        setting(tmux, "factors", FACTORS)
        setting(tmux, "iterations", ITERATIONS)
        tmux.send("C-g")
        tmux.wait_for("2 fit", LONG_S)
        tmux.wait_for("✓ fitted", LONG_S)
        (path,) = (home / "sessions").iterdir()
        session = Session.open(path)

        tmux.send("Enter")
        tmux.wait_for("3 features")
        for stars in (1, 2, 3):
            tmux.send("s")
            tmux.wait_for(f"{stars}★")
        tmux.send("t")
        tmux.wait_for("Tag feature")
        tmux.type("odd one")
        tmux.send("Enter")
        tmux.wait_for("#odd")
        state = replay(session.read_marks()[0])
        assert len(state.starred()) == 3 and sum(bool(marks.tags) for marks in state.features.values()) == 1

        tmux.send("g", "a", "j", "a")
        tmux.wait_for(lambda shown: len(Workspace(path).rack) == 2)
        tmux.send("4")
        tmux.wait_for("enter send")
        tmux.type("where does the swan live?")
        tmux.wait_for("where does the swan live?")
        tmux.send("Enter")
        tmux.wait_for(lambda shown: "› where does the swan live?" in shown and "enter send" in shown)
        (chat,) = [session.chat(name) for name in session.chat_names()]
        tmux.wait_for(lambda shown: any(event.get("role") == "assistant" for event in chat.read().records), LONG_S)
        reply = next(event for event in chat.read().records if event.get("role") == "assistant")
        assert [entry["on"] for entry in reply["rack"]] == [True, True]
        tmux.wait_for(reply["content"].split()[-1])

        tmux.send("Escape")
        tmux.wait_for(lambda shown: "enter send" not in shown.splitlines()[-1])
        tmux.send("5")
        tmux.wait_for("5 export")
        to_row(tmux, "gguf")
        tmux.send("Space")
        tmux.wait_for("enter writes 4 files")
        tmux.send("Enter")
        tmux.wait_for(lambda shown: len(list(session.exports.rglob("*.gguf"))) == 3)
        tmux.send("C-q")

    (vectors,) = session.exports.rglob("*.safetensors")
    assert np.array_equal(load_file(vectors)["V"], session.read_fit().V[:, state.starred()])
    from gguf import GGUFReader

    for control in session.exports.rglob("*.gguf"):
        assert [tensor.name for tensor in GGUFReader(control).tensors if tensor.data.any()] == ["direction.2"]
