"""The commands that list, show and write: models, sessions, features, export, doctor, help."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from dct_tui.cli import output
from dct_tui.sessions import Session


def test_models_lists_folders(dct: Any, llama: Path, tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    found = {line["name"]: line for line in dct("models", llama, tmp_path / "broken", "--json").json}
    assert {"model_type": "llama", "depth": 5, "width": 32, "chat_template": True, "problem": ""}.items() <= found[
        str(llama)
    ].items()
    assert "config.json" in found[str(tmp_path / "broken")]["problem"]
    assert str(llama) in dct("models", llama).out
    assert "absent" in dct("models", tmp_path / "absent").complaint


def test_sessions_lists_them_all(dct: Any, fitted: Path, tmp_path: Path) -> None:
    (fitted.parent / "not-a-session").mkdir()
    (fitted.parent / "torn").mkdir()
    (fitted.parent / "torn" / "session.json").write_text("{")
    elsewhere = fitted.rename(tmp_path / "elsewhere")
    states = {line["name"]: line["state"] for line in dct("sessions", elsewhere, "--json").json}
    assert states == {"elsewhere": "fitted", "torn": "damaged"}
    shown = dct("sessions", elsewhere).out
    assert str(elsewhere) in shown and "damaged:" in shown
    assert "no session in" in dct("sessions", tmp_path / "absent").complaint


def test_no_sessions_is_no_error(dct: Any, home: Path) -> None:
    done = dct("sessions")
    assert (done.code, done.out) == (0, "") and "dct-tui demo" in done.err
    assert dct("sessions", "--json").json == []


def test_features_are_sorted_and_described(dct: Any, fitted: Path) -> None:
    by_rank = dct("features", "fitted", "--json").json
    assert [line["rank"] for line in by_rank] == [1, 2, 3, 4]
    assert by_rank[0]["norm"] == max(line["norm"] for line in by_rank)
    for key, name in (("kl", "kl"), ("norm", "norm")):
        values = [line[name] for line in dct("features", "fitted", "--sort", key, "--json").json]
        assert values == sorted(values, reverse=True)
    assert len(dct("features", "fitted", "--limit", 2, "--json").json) == 2
    assert all(len(line["words"]) == 8 and len(line["neighbours"]) == 3 for line in by_rank)


def test_features_know_their_samples(dct: Any, fitted: Path) -> None:
    assert dct("features", "fitted", "--json").json[0]["effects"] == []
    dct("sample", "fitted", "--features", 1, "--strengths", "0.5,2", "--max-new-tokens", 5)
    effects = {line["index"]: line["effects"] for line in dct("features", "fitted", "--json").json}
    assert [effect["strength"] for effect in effects[1]] == [0.5, 2.0] and effects[0] == []
    assert "changed" in dct("features", "fitted").out


def test_features_by_contrast(dct: Any, fitted: Path, llama: Path) -> None:
    lines = dct("features", "fitted", "--contrast", "Yes,No", "--json").json
    scores = [line["contrast"] for line in lines]
    assert scores == sorted(scores, reverse=True)
    reverse = {
        line["index"]: line["contrast"] for line in dct("features", "fitted", "--contrast", "No,Yes", "--json").json
    }
    for line in lines:
        assert line["contrast"] == pytest.approx(-reverse[line["index"]], abs=1e-4)


def test_exports_hold_the_vectors(dct: Any, fitted: Path, tmp_path: Path) -> None:
    fit = Session.open(fitted).read_fit()
    (line,) = dct("export", "fitted", "--features", "1,3", "--json").json
    assert Path(line["path"]).parent == fitted / "exports"
    assert np.array_equal(safetensors.numpy.load_file(line["path"])["V"], fit.V[:, [1, 3]])
    assert "--force" in dct("export", "fitted", "--features", "1,3").complaint
    assert dct("export", "fitted", "--features", "1,3", "--force").code == 0
    (line,) = dct(
        "export", "fitted", "--features", "all", "--format", "npz", "--out", tmp_path / "v.npz", "--json"
    ).json
    assert np.array_equal(np.load(tmp_path / "v.npz")["U"], fit.U)
    lines = dct("export", "fitted", "--features", "0-1", "--format", "gguf", "--out", tmp_path / "g", "--json").json
    assert [Path(line["path"]).read_bytes()[:4] for line in lines] == [b"GGUF"] * 2


def test_gguf_has_no_place_below_block_2(dct: Any, llama: Path, tmp_path: Path) -> None:
    small = ("--source", 1, "--target", 3, "--factors", 2, "--iterations", 1, "--scale", 2)
    assert dct("fit", llama, "--prompt", "Hi.", *small, "--session", tmp_path / "low").code == 0
    refused = dct("export", tmp_path / "low", "--features", "all", "--format", "gguf", "--out", tmp_path / "out")
    assert "no place before block 2" in refused.complaint
    assert not (tmp_path / "out").exists()


def test_doctor(dct: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    done = dct("doctor", "--json")
    assert {line["what"] for line in done.json} >= {"python", "torch", "data folder", "terminal", "logout"}
    assert done.code == (1 if any(line["advice"] for line in done.json) else 0)
    monkeypatch.setenv("LC_ALL", "POSIX")
    sick = dct("doctor")
    assert sick.code == 1 and "C.UTF-8" in sick.out
    assert not home.exists()


def test_version_help_and_no_terminal(dct: Any) -> None:
    assert dct("--version").out == f"dct-tui {version('dct-tui')}\n"
    assert "fit" in dct("--help").out
    assert "needs a terminal" in dct().complaint
    assert dct("nonsense").code == 2


def test_a_reader_that_has_gone_is_no_error(fitted: Path) -> None:
    command = [sys.executable, "-m", "dct_tui", "features", "fitted", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_tables_fit_the_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("a-name-that-must-be-typed", "word " * 40, "日本語" * 20, 7), ("b", "\x1b[31m", "-", 12)]
    output.print_table(("name", "words", "more", "n"), rows)
    whole = capsys.readouterr().out
    assert "\x1b" not in whole and max(map(len, whole.splitlines())) > 200
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    output.print_table(("name", "words", "more", "n"), rows)
    shown = capsys.readouterr().out.splitlines()
    assert max(map(output.columns, shown)) <= 80
    assert shown[1].startswith("a-name-that-must-be-typed  ") and shown[1].endswith("  7") and shown[2].endswith(" 12")


def test_a_chat_on_a_terminal(fitted: Path) -> None:
    """A real terminal: the prompt is there, a reply comes, and Ctrl-D ends it."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "dct_tui", "chat", "fitted", "--max-new-tokens", "3", "--name", "typed"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True) as process:
        os.close(theirs)
        keys, seen = [b"Hello\n", b"\x04"], b""
        while True:
            try:
                seen += os.read(ours, 4096)
            except OSError:
                break
            if keys and seen.endswith(b"> "):
                os.write(ours, keys.pop(0))
                seen += b"|"
    os.close(ours)
    assert process.returncode == 0, seen
    assert b"Ctrl-D ends the chat" in seen and b"> " in seen
    assert [json.loads(line)["role"] for line in (fitted / "chats" / "typed.jsonl").open()] == ["user", "assistant"]
