"""What is answered beside the jobs: it can be stopped, and there are only so many at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_tools import TIMEOUT, Written

from dct_tui.engine import service
from dct_tui.engine.connection import Connection
from dct_tui.engine.messages import FitChoice, ForecastOf, Inspect, ModelChoice, Preview, Request
from dct_tui.engine.scheduler import Stop
from dct_tui.engine.service import MOST_ASIDES, Service
from dct_tui.engine.wire import Asked
from dct_tui.engine.work import side
from dct_tui.errors import DctError

PROMPTS = ("One.", "Two.", "Three.")


@pytest.mark.parametrize("do", ["preview", "forecast"])
def test_a_stop_is_seen_between_prompts(llama: Path, do: str) -> None:
    model = ModelChoice(name=str(llama))
    request: Request = Preview(model=model, prompts=PROMPTS)
    if do == "forecast":
        request = ForecastOf(model=model, fit=FitChoice(prompts=PROMPTS, validation=PROMPTS))
    looked: list[None] = []

    def check() -> None:
        looked.append(None)
        if len(looked) == 2:
            raise Stop

    with pytest.raises(Stop):
        side.aside(request, side.Aside(lambda event: None, check, lambda device: 0, at_rest=False))
    assert len(looked) == 2


@pytest.fixture
def held_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Lets every question wait until this is set."""
    go_on = threading.Event()

    def aside(request: Any, at_hand: Any) -> dict[str, Any]:
        assert go_on.wait(TIMEOUT)
        return {}

    monkeypatch.setattr(service, "aside", aside)
    yield go_on
    go_on.set()


async def test_there_are_only_so_many_at_once(held_up: threading.Event) -> None:
    head, written = Service(lambda why: None, lambda model: None), Written()
    connection = Connection(written)  # type: ignore[arg-type]
    for id in range(MOST_ASIDES):
        head.take(connection, Asked(id, Inspect(name="builtin")))
    with pytest.raises(DctError, match="are being answered already"):
        head.take(connection, Asked(99, Inspect(name="builtin")))
    held_up.set()
    async with asyncio.timeout(TIMEOUT):
        while head.is_busy:
            await asyncio.sleep(0.01)
    assert sorted(answer["id"] for answer in written.read()) == list(range(MOST_ASIDES))
    head.take(connection, Asked(99, Inspect(name="builtin")))


async def test_one_that_cannot_be_started_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    head = Service(lambda why: None, lambda model: None)

    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    with pytest.raises(RuntimeError):
        head.take(Connection(Written()), Asked(1, Inspect(name="builtin")))  # type: ignore[arg-type]
    assert not head.is_busy
