"""Names that no file can have: refused in one line wherever a path is given."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

SMALL = ("--source", 2, "--target", 4, "--factors", 2, "--iterations", 1, "--row-batch", 4)
NOT_UTF8 = os.fsdecode(b"bad\xff")
ODD = ["x" * 300, "absent/" + "x" * 300, "x/" * 2500, "~nouser/x"]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    "command",
    [
        ("models", "{}"),
        ("fit", "{}", "--prompt", "Hi.", *SMALL),
        ("fit", "builtin", "--prompt", "Hi.", "--factors", 2, "--iterations", 1, "--session", "{}"),
        ("sessions", "{}"),
        ("features", "{}"),
        ("export", "fitted", "--features", 1, "--out", "{}"),
    ],
)
def test_names_that_no_file_can_have(
    dct: Any, fitted: Path, untouched: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Any, odd: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = untouched(tmp_path)
    said = dct(*(odd if word == "{}" else word for word in command)).complaint
    assert ("~nouser/x" if odd == "~nouser/x" else "File name too long") in said
    assert len(said) < 300
    assert untouched(tmp_path) == before


@pytest.mark.parametrize("odd", ["x" * 300, "~nouser/x"])
def test_a_data_folder_that_cannot_be(dct: Any, monkeypatch: pytest.MonkeyPatch, odd: str) -> None:
    monkeypatch.setenv("DCT_TUI_HOME", odd)
    assert odd[:40] in dct("sessions").complaint


def test_a_model_without_a_name(dct: Any, home: Path) -> None:
    assert "no name" in dct("fit", "", "--prompt", "Hi.", *SMALL).complaint
    assert not home.exists()


def test_folders_whose_names_are_not_unicode(dct: Any, fitted: Path, llama: Path, tmp_path: Path) -> None:
    shutil.copytree(fitted, fitted.parent / NOT_UTF8)
    assert {line["name"] for line in dct("sessions", "--json").json} == {"fitted", "bad\ufffd"}
    out = tmp_path / f"{NOT_UTF8}.safetensors"
    (line,) = dct("export", "fitted", "--features", 1, "--json", "--out", out).json
    assert line["path"] == str(tmp_path / "bad\ufffd.safetensors") and out.exists()
    assert list(json.loads((tmp_path / "receipt.json").read_text())["files"]) == ["bad\ufffd.safetensors"]
    odd = fitted.parent / NOT_UTF8
    assert dct("export", odd, "--features", 1, "--format", "gguf", "--out", tmp_path / "v.gguf").code == 0
    new = tmp_path / "new" / NOT_UTF8
    assert "not UTF-8" in dct("fit", llama, "--prompt", "Hi.", *SMALL, "--session", new).complaint
    assert not new.parent.exists()


@pytest.mark.parametrize("length", [238, 255])
def test_the_longest_file_names(dct: Any, fitted: Path, tmp_path: Path, length: int) -> None:
    name = "v" * (length - len(".safetensors")) + ".safetensors"
    done = dct("export", "fitted", "--features", 1, "--out", tmp_path / "out" / name)
    assert done.code == 0, done.err
    assert {path.name for path in (tmp_path / "out").iterdir()} == {name, "receipt.json"}
