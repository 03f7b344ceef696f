"""Engines as they are: processes of their own, with a data folder and a folder of addresses of their own."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dct_tui.engine.client import EngineClient
from dct_tui.engine.messages import FitChoice, ModelChoice, StopJob
from dct_tui.engine.registry import EngineInfo, connect, list_engines, start_engine

PROMPTS = ("Tell me of the sea.", "What is rain?", "Name a town.", "Where do birds go?", "Say: café ☂")


@pytest.fixture(scope="module")
def engines_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of the engines of a test module. All of them are ended with it."""
    folder = tmp_path_factory.mktemp("engines")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        for name, value in {"TMPDIR": folder, "DCT_TUI_HOME": folder / "home", "OMP_NUM_THREADS": 1}.items():
            patch.setenv(name, str(value))
        yield folder / "home"
        for info in list_engines():
            with suppress(ProcessLookupError):
                os.kill(info.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def engine(engines_home: Path) -> EngineInfo:
    """One engine for all tests of a module."""
    return asyncio.run(start_engine())


@pytest.fixture
async def client(engine: EngineInfo) -> AsyncIterator[EngineClient]:
    """A line to it. What a test that failed has left running is stopped."""
    client = await connect(engine)
    yield client
    for job in client.state.jobs if client.state is not None else ():
        await client.ask(StopJob(job=job.id))
    await client.close()


@pytest.fixture
def model(llama: Path) -> ModelChoice:
    return ModelChoice(name=str(llama))


@pytest.fixture
def choice() -> Callable[..., FitChoice]:
    """A small fit; keywords change it."""
    settings: dict[str, Any] = {
        "prompts": PROMPTS, "source": 2, "target": 4, "factors": 4, "iterations": 2, "row_batch": 8, "scale": 4.0
    }  # fmt: skip
    return lambda **changes: FitChoice(**{**settings, **changes})


@pytest.fixture
def home(engines_home: Path) -> Path:
    """Instead of an empty one for each test: an engine has one for its life."""
    return engines_home
