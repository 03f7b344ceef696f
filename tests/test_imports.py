"""What is imported before any work is done: help and the first screen must not wait for torch."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"torch", "transformers", "huggingface_hub", "tokenizers", "httpx", "accelerate", "pandas", "scipy"}


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("dct_tui", HEAVY | {"numpy", "textual", "typer", "rich"}),
        ("dct_tui.cli.app", HEAVY | {"numpy", "textual", "rich", "safetensors"}),
        ("dct_tui.sessions", HEAVY | {"textual", "rich", "typer"}),
        ("dct_tui.export", HEAVY | {"textual", "rich", "typer"}),
        ("dct_tui.engine.registry", HEAVY | {"textual", "rich", "typer"}),
        ("dct_tui.engine.server", HEAVY | {"textual", "rich", "typer"}),
        ("dct_tui.screens.app", HEAVY),
    ],
)
def test_imports_are_light(module: str, unwanted: set[str]) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not unwanted & set(loaded)
