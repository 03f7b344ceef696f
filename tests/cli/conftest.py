from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

FIT = ("--source", 2, "--target", 4, "--factors", 4, "--iterations", 2, "--row-batch", 8)
PROMPTS = ("Tell me of the sea.", "What is rain?", "Name a town.", "Where do birds go?", "Say: café ☂")


@pytest.fixture(scope="session")
def fitted_once(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fitted session folder, made once."""
    from dct_tui.api import fit, open_model

    folder = tmp_path_factory.mktemp("sessions") / "fitted"
    fit(open_model(str(llama)), PROMPTS, session=folder, source=2, target=4, factors=4, iterations=2, row_batch=8)
    return folder


@pytest.fixture
def fitted(fitted_once: Path, home: Path) -> Path:
    """A copy of it, under its name among the sessions."""
    return shutil.copytree(fitted_once, home / "sessions" / "fitted")


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """A file of prompts."""
    path = tmp_path / "prompts.txt"
    path.write_text("\n".join(PROMPTS) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def untouched() -> Callable[[Path], dict[str, bytes]]:
    """What a folder holds, to compare before and after."""

    def contents(folder: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
            for path in sorted(folder.rglob("*"))
            if path.suffix != ".lock"
        }

    return contents
