"""The workbench on a real terminal, with engines and a data folder of its own."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pty_terminal import DCT_TUI, Terminal
from dct_tui.engine.registry import list_engines
from dct_tui.sessions import Session
from tests.terminal.fits import Open


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The program's data folder; the engines that were started for it are ended with the test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name, value in {"TMPDIR": tmp_path, "DCT_TUI_HOME": tmp_path / "home", "OMP_NUM_THREADS": 1}.items():
        monkeypatch.setenv(name, str(value))
    yield tmp_path / "home"
    for info in list_engines():
        with suppress(ProcessLookupError):
            os.kill(info.pid, signal.SIGKILL)


@pytest.fixture
def workbench(home: Path) -> Iterator[Open]:
    """`workbench(session, columns=…, rows=…)`: the workbench on a terminal, killed with the test."""
    terminals: list[Terminal] = []

    def start(session: Session | None = None, **options: Any) -> Terminal:
        arguments = ["--session", str(session.path)] if session is not None else []
        terminals.append(Terminal([*DCT_TUI, *arguments], **{"columns": 80, "rows": 24, **options}))
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.kill()
        terminal.hang_up()
