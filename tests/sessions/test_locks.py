from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dct_tui.errors import DctError, SessionBusy
from dct_tui.sessions.locks import hold, holder

HOLDER = """
import sys, time
from pathlib import Path
from dct_tui.sessions.locks import hold
with hold(Path(sys.argv[1]), "the fit"):
    print("held", flush=True)
    time.sleep(60)
"""


def start_holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_one_process_at_a_time_and_the_error_names_it(tmp_path: Path) -> None:
    path = tmp_path / "fit.lock"
    other = start_holder(path)
    try:
        found = holder(path)
        assert found is not None
        assert found.pid == other.pid
        with (
            pytest.raises(SessionBusy, match=f"the fit is being written by process {other.pid} on "),
            hold(path, "the fit"),
        ):
            pass
    finally:
        other.send_signal(signal.SIGKILL)
        other.communicate()
    # The kernel let go of it with the process.
    assert holder(path) is None
    with hold(path, "the fit"):
        assert holder(path) is not None
    assert holder(path) is None


def test_not_twice_in_one_process(tmp_path: Path) -> None:
    path = tmp_path / "fit.lock"
    with hold(path, "the fit"), pytest.raises(SessionBusy, match=str(os.getpid())), hold(path, "the fit"):
        pass


def test_released_by_an_exception(tmp_path: Path) -> None:
    path = tmp_path / "fit.lock"
    with pytest.raises(ValueError), hold(path, "the fit"):
        raise ValueError
    with hold(path, "the fit"):
        pass


def test_whoever_looks_does_not_keep_a_writer_out(tmp_path: Path) -> None:
    import fcntl
    import threading

    path = tmp_path / "fit.lock"
    path.touch()
    looking = path.open()
    fcntl.flock(looking, fcntl.LOCK_SH)
    timer = threading.Timer(0.05, looking.close)
    timer.start()
    with hold(path, "the fit"):
        pass
    timer.join()


def test_a_missing_folder_and_a_link_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DctError), hold(tmp_path / "nowhere" / "fit.lock", "the fit"):
        pass
    (tmp_path / "fit.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DctError), hold(tmp_path / "fit.lock", "the fit"):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_an_unsigned_lock_has_an_unnamed_holder(tmp_path: Path) -> None:
    path = tmp_path / "fit.lock"
    with hold(path, "the fit"):
        path.write_bytes(b"not json")
        assert str(holder(path)) == "another process"
