"""What is said before the first screen stands."""

from __future__ import annotations

import resource
import signal
import sys
from pathlib import Path

import pytest

from dct_tui.errors import DctError
from dct_tui.screens.start import start
from tests.conftest import Outcome


def test_without_a_terminal_it_says_what_to_do(dct: object) -> None:
    outcome: Outcome = dct()  # type: ignore[operator]
    assert "needs a terminal" in outcome.complaint
    assert "needs a terminal" in dct("--session", "x").complaint  # type: ignore[operator]
    assert "without a command" in dct("--no-mouse", "sessions").complaint  # type: ignore[operator]


def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input and output say that they are one."""

    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys, "stdout", Terminal())


def test_a_session_that_is_not_there_is_said_before_the_screen_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_terminal(monkeypatch)
    with pytest.raises(DctError, match="there is no session"):
        start("nothing")


def test_a_data_folder_that_cannot_be_written_is_said_before_the_screen_is(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_terminal(monkeypatch)
    home.write_text("a file where the folder should be")
    with pytest.raises(DctError, match=r"cannot be written: File exists.*DCT_TUI_HOME"):
        start()


def test_a_full_disk_is_said_before_the_screen_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_terminal(monkeypatch)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limit[1]))
    try:
        with pytest.raises(DctError, match=r"cannot be written: File too large.*make room"):
            start()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)
