"""Pipes, links and folders where a session's files should be: refused at once, never waited for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dct_tui.sessions import layout
from dct_tui.sessions.regular import read_regular
from dct_tui.triage.settings import SETTINGS_FILE
from tests.fitted import fitted_session

LOOK = """
import sys
from pathlib import Path
from dct_tui.errors import DctError
from dct_tui.sessions import Session
from dct_tui.sessions.listing import session_summary
from dct_tui.screens.workspace import Workspace
from dct_tui.triage.settings import read_settings
path, said = Path(sys.argv[1]), []

def look(at):
    try:
        at()
    except DctError as error:
        said.append(str(error))

look(lambda: session_summary(path))
read_settings(path)
session = Session.open(path)
Workspace(path)
for at in (session.read_features, session.read_samples, session.read_marks, session.read_fit,
           session.read_checkpoint, session.progress.last, session.progress.read, session.writer):
    look(at)
look(lambda: session.marks.append({"a": 1}))
print(chr(10).join(said))
"""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (layout.FEATURES_FILE, "no plain file"),
        (layout.SAMPLES_FILE, "no plain file"),
        (layout.MARKS_FILE, "no plain file"),
        (layout.PROGRESS_FILE, "no plain file"),
        (layout.AVERAGES_FILE, "no plain file"),
        (layout.FIT_FILE, "no plain file"),
        (layout.CHECKPOINT_FILE, "no plain file"),
        (layout.lock_file("fit"), ""),
        (SETTINGS_FILE, ""),
        ("rack.json", ""),
    ],
)
def test_a_pipe_in_a_session_holds_nobody_up(tmp_path: Path, name: str, said: str) -> None:
    path = fitted_session(tmp_path / "one").path
    (path / name).unlink(missing_ok=True)
    os.mkfifo(path / name)
    # In a process of its own: what waits for a pipe could not be ended from within.
    looked = subprocess.run([sys.executable, "-c", LOOK, str(path)], capture_output=True, text=True, timeout=60)
    assert looked.returncode == 0, looked.stderr
    assert said in looked.stdout


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to(__file__)])
def test_what_is_no_plain_file_is_not_read(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "x")
    with pytest.raises(OSError, match="no plain file"):
        read_regular(tmp_path / "x")
