"""Fits that are stopped, killed, shut out or without room: nothing that was finished is lost."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dct_tui.sessions import Session

ITERATIONS = 4
FIT = ("--source", 2, "--target", 4, "--factors", 6, "--iterations", ITERATIONS, "--row-batch", 8)

# The fit as a process that stops and waits once an iteration is finished, so that the test can come in between.
PAUSING = """
import sys
from dct_tui.jobs import fit_job
from dct_tui.__main__ import main

real_fit = fit_job.fit

def pausing(delta, config, *, state, on_iteration):
    def after(state):
        on_iteration(state)
        if state.iteration == 2:
            print("paused", flush=True)
            sys.stdin.readline()
    return real_fit(delta, config, state=state, on_iteration=after)

fit_job.fit = pausing
main()
"""


@pytest.fixture(params=["polar", "soft"])
def arguments(llama: Path, prompts: Path, request: pytest.FixtureRequest) -> list[str]:
    options = ("--prompts", prompts, *FIT, "--orthogonalisation", request.param)
    return [str(argument) for argument in ("fit", llama, *options)]


@pytest.fixture
def paused(arguments: list[str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PAUSING, *arguments, "--session", str(tmp_path / "stopped")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever started the tests in the background had it ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None and process.stdout.readline() == "paused\n"
    yield process
    process.kill()
    process.communicate()


def assert_same_fit(one: Path, other: Path) -> None:
    fits = [Session.open(path).read_fit() for path in (one, other)]
    for name in ("V", "U", "alpha"):
        assert np.array_equal(getattr(fits[0], name), getattr(fits[1], name)), name


@pytest.mark.parametrize("how", ["interrupted", "killed"])
def test_a_fit_goes_on_to_the_same_bits(
    dct: Any, arguments: list[str], paused: subprocess.Popen[str], tmp_path: Path, how: str
) -> None:
    stopped = tmp_path / "stopped"
    if how == "interrupted":
        assert "by process" in dct("resume", stopped).complaint
        assert "is being written by process" in dct(*arguments, "--session", stopped).complaint
        assert f"fitting 2/{ITERATIONS} by process {paused.pid}" in dct("sessions", stopped).out
        paused.send_signal(signal.SIGINT)
        out, err = paused.communicate(timeout=60)
        assert (paused.returncode, out) == (130, "")
        assert err.splitlines()[-1].endswith(f"dct-tui resume {stopped}")
        assert f"stopped at 2/{ITERATIONS}" in dct("sessions", stopped).out
        assert "features yet; finish its fit: dct-tui resume" in dct("features", stopped).complaint
        resumed = dct("resume", stopped, "--json")
    else:
        paused.kill()
        paused.wait()
        assert f"interrupted at 2/{ITERATIONS}" in dct("sessions", stopped).out
        resumed = dct(*arguments, "--session", stopped, "--json")
        assert "going on with the unfinished session" in resumed.err
    assert resumed.code == 0, resumed.err
    assert "iteration 3/4" in resumed.err and "iteration 2/4" not in resumed.err
    whole = dct(*arguments, "--session", tmp_path / "whole", "--json")
    assert_same_fit(stopped, tmp_path / "whole")
    (left,), (right,) = resumed.json, whole.json
    assert {**left, "session": 0, "seconds": 0} == {**right, "session": 0, "seconds": 0}
    records = Session.open(stopped).progress.read().records
    assert [entry["iteration"] for entry in records if "objective" in entry] == [1, 2, 3, 4]


@pytest.mark.parametrize("arguments", ["polar"], indirect=True)
def test_a_disk_without_room(dct: Any, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room ends after the checkpoint of iteration 2; once there is some again, the fit goes on from there."""
    real_write, session = os.write, tmp_path / "full"

    def write(handle: int, data: Any) -> int:
        if (session / "progress.jsonl").exists() and (session / "progress.jsonl").read_text().count("\n") >= 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real_write(handle, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        failed = dct(*arguments, "--session", session)
    assert failed.code == 2 and failed.out == ""
    assert "no room to write" in failed.err.splitlines()[-1]
    assert dct("resume", session).code == 0
    assert dct(*arguments, "--session", tmp_path / "whole").code == 0
    assert_same_fit(session, tmp_path / "whole")


@pytest.mark.parametrize("arguments", ["polar"], indirect=True)
def test_a_quota_that_is_used_up_from_the_start(arguments: list[str], tmp_path: Path) -> None:
    """A real refusal by the kernel: no file of this process may grow beyond 100 bytes."""
    done = subprocess.run(
        [sys.executable, "-m", "dct_tui", *arguments, "--session", str(tmp_path / "none")],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "no room to write session.json" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("lost", ["features.json", "fit.safetensors"])
def test_a_finished_session_that_lost_a_file_is_made_whole(dct: Any, fitted: Path, lost: str) -> None:
    assert "already fitted" in dct("resume", "fitted").complaint
    before = Session.open(fitted).read_fit()
    (fitted / lost).unlink()
    assert dct("resume", "fitted").code == 0
    again = Session.open(fitted)
    assert np.array_equal(again.read_fit().V, before.V) and np.array_equal(again.read_fit().U, before.U)
    assert len(again.read_features()) == before.alpha.size


@pytest.mark.parametrize("state", ["{}", '{"row_batch": 8, "history": [{}]}', '{"row_batch": 8, "history": 3}'])
def test_a_damaged_checkpoint_is_told(dct: Any, fitted: Path, state: str) -> None:
    session = Session.open(fitted)
    checkpoint = session.read_checkpoint()
    assert checkpoint is not None
    kept = {"scale": checkpoint.state["scale"], **json.loads(state)}
    with session.writing():
        session.write_checkpoint(replace(checkpoint, state=kept))
        session.update_record(status="stopped")
    assert "checkpoint of fitted is damaged" in dct("resume", "fitted").complaint
