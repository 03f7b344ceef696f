"""Engines as processes: started, found, counted, ended. None of them opens a model."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engine_tools import TIMEOUT, gone, state_of

from dct_tui.engine import registry
from dct_tui.engine.address import address_of
from dct_tui.engine.client import EngineClient
from dct_tui.engine.errors import EngineGone
from dct_tui.engine.messages import Hello, Inspect, Quit
from dct_tui.engine.registry import EngineInfo, connect, engine_for, is_alive, list_engines, start_engine
from dct_tui.errors import DctError


async def test_one_engine_serves_who_needs_any_model(client: EngineClient, engine: EngineInfo) -> None:
    for model in (None, "builtin", "some/model"):
        found = await engine_for(model)
        assert found.state is not None and found.state.pid == engine.pid
        await found.close()
    assert list_engines() == [engine]


async def test_an_engine_of_another_data_folder_is_left_alone(
    engine: EngineInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DCT_TUI_HOME", str(tmp_path / "elsewhere"))
    other = await engine_for(None)
    assert other.state is not None and other.state.pid != engine.pid
    assert other.state.home == str(tmp_path / "elsewhere")
    assert [info.home for info in list_engines()] == [engine.home, other.state.home]
    info = list_engines()[1]
    await other.ask(Quit())
    await state_of(other, lambda state: state is None)
    with pytest.raises(EngineGone, match="the engine has ended"):
        await other.ask(Hello())
    await other.close()
    await gone(info)
    assert list_engines() == [engine]
    assert not any(path.exists() for path in (Path(info.socket), address_of(info.pid).lock))


async def test_all_clients_see_an_engine_end(client: EngineClient) -> None:
    info = await start_engine()
    clients = [await connect(info), await connect(info)]
    os.kill(info.pid, signal.SIGHUP)
    assert (await clients[0].ask(Hello()))["pid"] == info.pid
    os.kill(info.pid, signal.SIGTERM)
    for one in clients:
        await state_of(one, lambda state: state is None)
        assert not one.is_open
        await one.close()
    await gone(info)
    assert "ends: it got SIGTERM" in Path(info.log).read_text()
    with pytest.raises(EngineGone):
        await connect(info)


async def test_an_engine_without_work_ends_though_a_client_is_there() -> None:
    info = await start_engine(idle_s=0.2)
    line = await connect(info)
    await state_of(line, lambda state: state is None)
    await line.close()
    await gone(info)
    assert "nothing to do for 0.2 s" in Path(info.log).read_text()


async def test_what_a_killed_engine_left_is_removed(engine: EngineInfo) -> None:
    info = await start_engine()
    os.kill(info.pid, signal.SIGKILL)
    await gone(info)
    assert Path(info.socket).exists()
    with pytest.raises(EngineGone):
        await connect(info)
    assert list_engines() == [engine]
    assert not list(Path(info.socket).parent.glob(f"engine-{info.pid}.*"))


async def test_an_engine_that_does_not_start_names_its_log(engines_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with pytest.raises(DctError, match=r"the engine did not start; see .*engine-new-.*log") as error:
        await start_engine()
    assert "Fatal Python error" in Path(error.value.hint.removeprefix("see ")).read_text()


async def test_an_engine_that_does_not_answer_is_passed_over(
    client: EngineClient, engine: EngineInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dct_tui.engine.client.PATIENCE_S", 0.2)
    os.kill(engine.pid, signal.SIGSTOP)
    try:
        with pytest.raises(EngineGone, match="does not answer"):
            await connect(engine)
    finally:
        os.kill(engine.pid, signal.SIGCONT)
    assert (await client.ask(Hello()))["pid"] == engine.pid


async def test_an_engine_that_hangs_is_told_of_until_it_answers_again(
    engine: EngineInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dct_tui.engine.client.BEAT_S", 0.02)
    line = await connect(engine)
    os.kill(engine.pid, signal.SIGSTOP)
    try:
        await state_of(line, lambda state: not line.answers)
        assert line.state is not None and line.state.pid == engine.pid
        job = line.begin(Hello())
    finally:
        os.kill(engine.pid, signal.SIGCONT)
    assert (await job.result())["pid"] == engine.pid
    await state_of(line, lambda state: line.answers)
    await line.close()


async def test_an_engine_that_reads_nothing_is_let_go_of_all_the_same(engine: EngineInfo) -> None:
    line = await connect(engine)
    os.kill(engine.pid, signal.SIGSTOP)
    try:
        job = line.begin(Inspect(name="x" * 10_000_000))
        async with asyncio.timeout(TIMEOUT):
            await line.close()
    finally:
        os.kill(engine.pid, signal.SIGCONT)
    with pytest.raises(EngineGone):
        await job.result()


async def test_a_line_that_is_let_go_of_fails_what_waits_on_it(engine: EngineInfo) -> None:
    line = await connect(engine)
    told: list[Any] = []
    line.on_state = told.append
    job = line.begin(Hello())
    await line.close()
    with pytest.raises(EngineGone, match="was closed"):
        await job.result()
    with pytest.raises(EngineGone):
        await line.ask(Hello())
    assert told == [] and line.state is None and is_alive(engine)


async def test_two_that_ask_at_once_get_an_engine_each_that_works(
    monkeypatch: pytest.MonkeyPatch, engine: EngineInfo
) -> None:
    monkeypatch.setattr(registry, "_ours", list)
    async with asyncio.timeout(TIMEOUT):
        both = await asyncio.gather(engine_for(None), engine_for(None))
    pids = {one.state.pid for one in both if one.state is not None}
    assert len(pids) == 2 and engine.pid not in pids
    infos = [info for info in list_engines() if info.pid in pids]
    for one in both:
        await one.ask(Quit())
        await one.close()
    for info in infos:
        await gone(info)


def test_the_command_lists_engines_and_ends_them(engine: EngineInfo, dct: Callable[..., Any]) -> None:
    (shown,) = dct("engines", "--json").json
    assert (shown["pid"], shown["model"], shown["jobs"], shown["answers"]) == (engine.pid, None, [], True)
    header, row = dct("engines").out.splitlines()
    assert header.split() == ["pid", "model", "does", "since", "memory", "idle"]
    assert row.split()[:3] == [str(engine.pid), "-", "nothing"]
    assert "there is no engine '1'" in dct("engines", "--stop", "1").complaint
    assert f"engine {engine.pid} has ended" in dct("engines", "--stop", engine.pid).err
    assert not is_alive(engine)
    assert "no engines" in dct("engines").err and dct("engines", "--json").out == ""
    assert dct("engines", "--stop", "all").code == 0


@pytest.mark.parametrize("setting", ["-1", "0", "x", "nan"])
def test_an_idle_time_that_is_none_is_refused(setting: str) -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "dct_tui.engine", "--idle", setting], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "--idle" in done.stderr.splitlines()[-1]
