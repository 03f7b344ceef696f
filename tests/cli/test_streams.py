"""Streams that are closed, full, or in ASCII; and an interrupt before anything has begun."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

INTERRUPTED_IMPORT = """
import sys
class Interrupted:
    def find_spec(self, name, *_):
        if name in ("dct_tui.cli.app", "dct_tui.screens.start"):
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted())
from dct_tui.__main__ import main
main()
"""


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A line of the shell, in which $DCT is the command."""
    return subprocess.run(
        ["bash", "-c", line.replace("$DCT", f"{sys.executable} -m dct_tui")],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("options", ["", "--json"])
def test_output_that_finds_no_room(fitted: Path, options: str) -> None:
    done = shell(f"$DCT features {fitted} {options} >/dev/full")
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.decode().splitlines() if "changed and broken" not in line]
    assert line.startswith("dct-tui: the output cannot be written: No space left on device")
    assert shell(f"$DCT features {fitted} --sort x 2>/dev/full").returncode == 2


@pytest.mark.parametrize("options", ["", "--json"])
def test_closed_output(fitted: Path, options: str) -> None:
    done = shell(f"$DCT features {fitted} {options} >&-")
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    assert shell(f"$DCT features {fitted} --sort x >&- 2>&-").returncode == 2


def test_a_chat_with_closed_input_ends_at_once(fitted: Path) -> None:
    done = shell(f"$DCT chat {fitted} <&-")
    assert (done.returncode, done.stdout, b"Traceback" in done.stderr) == (0, b"", False)


def test_ascii_terminals(fitted: Path, tmp_path: Path) -> None:
    ascii_only = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    path = fitted / "features.json"
    document = json.loads(path.read_text())
    for record in document["features"]:
        record["words"] = ["naïve", "☂", "😀"]
    path.write_text(json.dumps(document))
    shown = shell(f"$DCT features {fitted}", **ascii_only)
    assert shown.returncode == 0 and shown.stdout.isascii() and b"na?ve ? ?" in shown.stdout
    lines = shell(f"$DCT features {fitted} --json", **ascii_only)
    assert lines.returncode == 0 and lines.stdout.isascii()
    assert [json.loads(line)["words"] for line in lines.stdout.splitlines()] == [["naïve", "☂", "😀"]] * 4
    talk = shell(f"printf 'caf\\303\\251\\n' | $DCT chat {fitted} --max-new-tokens 2 --json", **ascii_only)
    assert talk.returncode == 0, talk.stderr
    assert json.loads(talk.stdout)["prompt"] == "café"
    bad = shell(f"printf 'caf\\377\\n' | $DCT chat {fitted} --max-new-tokens 2 --json", **ascii_only)
    assert bad.returncode == 2 and b"not valid UTF-8" in bad.stderr


@pytest.mark.parametrize("arguments", [[], ["sessions"]])
def test_an_interrupt_while_modules_are_imported(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED_IMPORT, *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
