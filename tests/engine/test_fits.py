"""Fits in an engine, with the tiny Llama: against the same made without one."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_tools import ENDLESS, TIMEOUT, gone, iterations, state_of

from dct_tui.engine.client import EngineClient, Job
from dct_tui.engine.errors import Cancelled, EngineGone
from dct_tui.engine.messages import CalibrateOn, ControlFit, FitChoice, ModelChoice, Reply, ResumeFit, StartFit
from dct_tui.engine.registry import EngineInfo, connect, start_engine
from dct_tui.errors import DctError
from dct_tui.sessions import Session, list_sessions
from dct_tui.sessions.manage import trash_session

Choice = Callable[..., FitChoice]


@pytest.fixture
def start(client: EngineClient, model: ModelChoice, choice: Choice, tmp_path: Path) -> Callable[..., Job]:
    """Begins a fit in `tmp_path / "fit"`."""
    return lambda **changes: client.begin(StartFit(model=model, fit=choice(**changes), session=str(tmp_path / "fit")))


def fitted_alone(model: ModelChoice, choice: FitChoice, folder: Path) -> Session:
    """The same fit without an engine."""
    from dct_tui.api import fit, open_model

    names = ("source", "target", "factors", "iterations", "row_batch", "scale")
    settings = {name: getattr(choice, name) for name in names}
    return fit(open_model(model.name), choice.prompts, session=folder, **settings)


def assert_same(one: Session, other: Session) -> None:
    for name in ("V", "U", "alpha"):
        assert np.array_equal(getattr(one.read_fit(), name), getattr(other.read_fit(), name)), name
    assert one.read_features() == other.read_features()


def shortened(path: str, by: int) -> int:
    """Lets an endless fit end so many iterations from where it stands; gives their number in all."""
    session = Session.open(Path(path))
    checkpoint = session.read_checkpoint()
    assert checkpoint is not None
    with session.writing():
        settings = replace(session.record.fit, iterations=checkpoint.iteration + by)
        session.update_record(fit=settings)
    return settings.iterations


def journal(session: Path | str) -> list[dict[str, Any]]:
    return Session.open(Path(session)).progress.read().records


async def test_a_fit_gives_what_it_gives_without_an_engine(
    start: Callable[..., Job], model: ModelChoice, choice: Choice, tmp_path: Path
) -> None:
    job = start(scale=None)
    events = [event async for event in job]
    assert await job.result() == {"session": str(tmp_path / "fit")}
    stages = [event["stage"] for event in events if "stage" in event and event["stage"] != "load"]
    assert list(dict.fromkeys(stages)) == ["calibrate", "fit", "describe"]
    assert {"session": str(tmp_path / "fit")} in events
    alone = fitted_alone(model, choice(scale=None), tmp_path / "alone")
    session = Session.open(tmp_path / "fit")
    assert_same(session, alone)
    assert session.record.calibration == alone.record.calibration
    assert session.record.status == "fitted" and session.writer() is None
    entries = [entry for entry in journal(session.path) if "objective" in entry]
    assert [entry["iteration"] for entry in entries] == [1, 2]
    assert all(entry["memory"] > 0 and entry["rows_per_second"] > 0 for entry in entries)


async def test_the_scale_that_is_found_beforehand_is_the_fits(
    client: EngineClient, start: Callable[..., Job], model: ModelChoice, choice: Choice, tmp_path: Path
) -> None:
    found = await client.ask(CalibrateOn(model=model, fit=choice(scale=None)))
    await start(scale=None).result()
    assert found == Session.open(tmp_path / "fit").record.calibration


async def test_a_new_session_lies_among_the_others(
    client: EngineClient, model: ModelChoice, choice: Choice, home: Path
) -> None:
    path = (await client.ask(StartFit(model=model, fit=choice())))["session"]
    assert Path(path).parent == home / "sessions"
    assert [one.state for one in list_sessions() if str(one.path) == path] == ["fitted"]


async def test_a_fit_is_paused_talked_with_and_goes_on(
    client: EngineClient, start: Callable[..., Job], model: ModelChoice, choice: Choice, tmp_path: Path
) -> None:
    other = (await client.ask(StartFit(model=model, fit=choice())))["session"]
    job = start(iterations=ENDLESS)
    path = await iterations(job, 1)
    await client.ask(ControlFit(session=path, action="pause"))
    state = await state_of(client, lambda state: [job.state for job in state.jobs] == ["paused"])
    assert state.jobs[0].session == path
    rested = journal(path)
    assert rested[-1]["stage"] == "paused" and rested[-1]["iteration"] == rested[-2]["iteration"]
    assert Session.open(Path(path)).writer() is not None
    said = await client.ask(Reply(session=other, chat="one", text="Who?"))
    assert said["text"] == Session.open(Path(other)).chat("one").read().records[-1]["content"]
    assert journal(path) == rested
    await client.ask(ControlFit(session=path, action="go on"))
    await iterations(job, rested[-1]["iteration"] + 1)
    await client.ask(ControlFit(session=path, action="stop"))
    with pytest.raises(Cancelled):
        await job.result()
    assert Session.open(Path(path)).record.status == "stopped"


async def test_a_reply_is_given_in_the_midst_of_a_fit(
    client: EngineClient, start: Callable[..., Job], model: ModelChoice, choice: Choice
) -> None:
    other = (await client.ask(StartFit(model=model, fit=choice())))["session"]
    job = start(iterations=ENDLESS)
    await iterations(job, 1)
    reply = client.begin(Reply(session=other, chat="one", text="Who?", compare=True))
    pieces = [event async for event in reply]
    said = await reply.result()
    for side, text in (("steered", said["text"]), ("unsteered", said["unsteered"])):
        assert "".join(piece["text"] for piece in pieces if piece["side"] == side).strip() == text
    assert not job.ended
    await job.cancel()
    with pytest.raises(Cancelled):
        await job.result()


async def test_a_fit_that_waits_is_seen_and_can_be_stopped(
    client: EngineClient, start: Callable[..., Job], model: ModelChoice, choice: Choice, tmp_path: Path, home: Path
) -> None:
    running = start(iterations=ENDLESS)
    path = await iterations(running, 1)
    named = StartFit(model=model, fit=choice(), session=str(tmp_path / "later"))
    waiting = [client.begin(request) for request in (named, *2 * [StartFit(model=model, fit=choice())])]
    state = await state_of(client, lambda state: len(state.jobs) == 4)
    seen = [Path(str(job.session)) for job in state.jobs]
    assert seen[:2] == [Path(path), tmp_path / "later"]
    assert len(set(seen)) == 4 and {one.parent for one in seen[2:]} == {home / "sessions"}
    assert {Session.open(folder).record.status for folder in seen[1:]} == {"created"}
    for job, folder, said in zip(waiting, seen[1:], [str(seen[1]), str(seen[2]), seen[3].name], strict=True):
        await client.ask(ControlFit(session=said, action="stop"))
        with pytest.raises(Cancelled):
            await job.result()
        assert [event async for event in job] == [{"stage": "waiting", "folder": str(folder), "done": 0, "of": 1}]
        assert not folder.exists()
    with pytest.raises(DctError, match="there is no session"):
        await client.ask(ControlFit(session=str(seen[1]), action="stop"))
    used, last = (client.begin(StartFit(model=model, fit=choice())) for _ in range(2))
    state = await state_of(client, lambda state: len(state.jobs) == 3)
    (Path(state.jobs[1].session) / "rack.json").write_text("{}")
    await used.cancel()
    assert Session.open(Path(state.jobs[1].session)).record.status == "created"  # what is in it is not ours to lose
    await running.cancel()
    assert await last.result() == {"session": state.jobs[2].session}


async def test_a_fit_that_is_finished_early_can_be_repeated(
    client: EngineClient, start: Callable[..., Job], model: ModelChoice, choice: Choice, tmp_path: Path
) -> None:
    job = start(iterations=ENDLESS)
    path = await iterations(job, 2)
    await client.ask(ControlFit(session=path, action="finish"))
    await job.result()
    session = Session.open(Path(path))
    done = session.record.fit.iterations
    assert 2 <= done < ENDLESS and session.record.status == "fitted"
    assert [entry["iteration"] for entry in journal(path) if "objective" in entry][-1] == done
    assert_same(session, fitted_alone(model, choice(iterations=done), tmp_path / "alone"))


async def test_a_paused_fit_can_be_finished(client: EngineClient, start: Callable[..., Job]) -> None:
    job = start(iterations=ENDLESS)
    path = await iterations(job, 1)
    await client.ask(ControlFit(session=path, action="pause"))
    await state_of(client, lambda state: [job.state for job in state.jobs] == ["paused"])
    await client.ask(ControlFit(session=path, action="finish"))
    await job.result()
    assert Session.open(Path(path)).record.status == "fitted"


async def test_a_fit_goes_on_without_its_client_and_another_stops_it(
    engine: EngineInfo, client: EngineClient, model: ModelChoice, choice: Choice, tmp_path: Path
) -> None:
    starter = await connect(engine)
    job = starter.begin(StartFit(model=model, fit=choice(iterations=ENDLESS), session=str(tmp_path / "fit")))
    path = await iterations(job, 1)
    await starter.close()
    with pytest.raises(EngineGone):
        await job.result()
    seen = len(journal(path))
    await state_of(client, lambda state: len(journal(path)) > seen + 1)
    assert [one.do for one in client.state.jobs] == ["fit"]
    with pytest.raises(DctError, match="is being written by process"), Session.open(Path(path)).writing():
        pass
    await client.ask(ControlFit(session=path, action="stop"))
    await state_of(client, lambda state: not state.jobs)
    assert Session.open(Path(path)).record.status == "stopped"


async def test_a_waiting_fit_whose_session_goes_or_that_is_refused_leaves_none(
    client: EngineClient, start: Callable[..., Job], model: ModelChoice, choice: Choice, tmp_path: Path
) -> None:
    running = start(iterations=ENDLESS)
    await iterations(running, 1)
    gone, refused = tmp_path / "gone", tmp_path / "refused"
    thrown_away = client.begin(StartFit(model=model, fit=choice(), session=str(gone)))
    too_large = client.begin(StartFit(model=model, fit=choice(scale=1e9), session=str(refused)))
    await state_of(client, lambda state: len(state.jobs) == 3)
    trash_session(gone)
    assert Session.exists(refused)
    await running.cancel()
    with pytest.raises(Cancelled, match="thrown away"):
        await thrown_away.result()
    with pytest.raises(DctError, match="R"):
        await too_large.result()
    assert not gone.exists() and not refused.exists()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_an_engine_that_dies_leaves_a_fit_that_goes_on_to_the_same_bits(
    model: ModelChoice, choice: Choice, tmp_path: Path, how: signal.Signals, engines_home: Path, client: EngineClient
) -> None:
    doomed = await start_engine()
    line = await connect(doomed)
    job = line.begin(StartFit(model=model, fit=choice(iterations=ENDLESS), session=str(tmp_path / "fit")))
    path = await iterations(job, 2)
    await line.ask(ControlFit(session=path, action="pause"))
    line.begin(StartFit(model=model, fit=choice(), session=str(tmp_path / "waiting")))
    await state_of(line, lambda state: [job.state for job in state.jobs] == ["paused", "waiting"])
    os.kill(doomed.pid, how)
    with pytest.raises(EngineGone if how == signal.SIGKILL else Cancelled, match="the engine has ended"):
        await job.result()
    await gone(doomed)
    async with asyncio.timeout(TIMEOUT):
        while line.state is not None:
            await asyncio.sleep(0.01)
    with pytest.raises(EngineGone, match=f"engine-{doomed.pid}.log"):
        await line.ask(ResumeFit(session=path))
    await line.close()
    assert Session.open(Path(path)).record.status == ("fitting" if how == signal.SIGKILL else "stopped")
    last = shortened(path, by=2)
    await client.ask(ResumeFit(session=path))
    entries = [entry["iteration"] for entry in journal(path) if "objective" in entry]
    assert entries == list(range(1, last + 1))
    assert_same(Session.open(Path(path)), fitted_alone(model, choice(iterations=last), tmp_path / "alone"))
    # The one that waited for its turn is not lost either.
    await client.ask(ResumeFit(session=str(tmp_path / "waiting")))
    assert Session.open(tmp_path / "waiting").record.status == "fitted"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"prompts": ()}, "there are no prompts"),
        ({"factors": 0}, "0 factors cannot be fitted"),
        ({"source": 4, "target": 2}, "source 4 is not below target 2"),
        ({"method": "magic"}, "no method 'magic'"),
        ({"scale": 1e9}, "drowns it"),
    ],
)
async def test_what_cannot_be_fitted_is_refused_and_leaves_nothing(
    start: Callable[..., Job], tmp_path: Path, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(DctError, match=complaint):
        await start(**changes).result()
    assert not (tmp_path / "fit").exists()


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        (ControlFit(session="nowhere", action="stop"), "there is no session 'nowhere'"),
        (ResumeFit(session="nowhere"), "there is no session 'nowhere'"),
    ],
)
async def test_sessions_that_are_not_there(client: EngineClient, request_: Any, complaint: str) -> None:
    with pytest.raises(DctError, match=complaint):
        await client.ask(request_)


async def test_what_is_not_fitted_here_is_not_controlled(
    client: EngineClient, start: Callable[..., Job], tmp_path: Path
) -> None:
    await start().result()
    with pytest.raises(DctError, match="this engine is not fitting fit"):
        await client.ask(ControlFit(session=str(tmp_path / "fit"), action="pause"))
    with pytest.raises(DctError, match="already fitted"):
        await client.ask(ResumeFit(session=str(tmp_path / "fit")))
