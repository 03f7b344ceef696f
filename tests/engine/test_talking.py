"""Samples, replies and contrasts in an engine, with the tiny Llama."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from engine_tools import ENDLESS, TIMEOUT, iterations, state_of

from dct_tui.engine.client import EngineClient
from dct_tui.engine.errors import Cancelled, EngineGone
from dct_tui.engine.messages import (
    Contrast,
    FitChoice,
    Hello,
    Load,
    ModelChoice,
    Reply,
    SampleFeatures,
    SamplingChoice,
    StartFit,
    StopJob,
    Watch,
)
from dct_tui.engine.registry import EngineInfo, connect
from dct_tui.errors import DctError
from dct_tui.sessions import Session, sampled_keys
from dct_tui.sessions.rack import RackEntry

SHORT = SamplingChoice(max_new_tokens=6)
LONG = tuple(range(1, 200))
"""Strengths enough to keep an engine busy for longer than any test lasts."""


@pytest.fixture(scope="module")
def fitted_once(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from dct_tui.api import fit, open_model

    folder = tmp_path_factory.mktemp("sessions") / "fitted"
    prompts = ("Tell me of the sea.", "What is rain?", "Name a town.")
    fit(open_model(str(llama)), prompts, session=folder, source=2, target=4, factors=4, iterations=1, row_batch=8)
    return folder


@pytest.fixture
def session(fitted_once: Path, tmp_path: Path) -> Session:
    return Session.open(shutil.copytree(fitted_once, tmp_path / "fitted"))


def many(session: Session) -> SampleFeatures:
    return SampleFeatures(session=str(session.path), features=(0, 1, 2, 3), strengths=tuple(map(float, LONG)))


async def test_samples_are_those_made_without_an_engine(client: EngineClient, session: Session, tmp_path: Path) -> None:
    from dct_tui.api import open_model, sample

    request = SampleFeatures(session=str(session.path), features=(2, 0), strengths=(1.0, 0.5), limit=1, sampling=SHORT)
    job = client.begin(request)
    assert [event async for event in job][-1] == {"made": 5, "of": 5}
    made = session.read_samples()[0]
    # In the order that was asked for, the unsteered text first.
    assert [(one.feature, one.strength) for one in made] == [(None, 0.0), (2, 1.0), (2, 0.5), (0, 1.0), (0, 0.5)]
    lm = open_model(session.record.model.spec)
    other = Session.open(shutil.copytree(session.path, tmp_path / "other"))
    other.samples.path.unlink()
    alone = list(sample(lm, other, (2, 0), [made[0].prompt], strengths=(1.0, 0.5), max_new_tokens=6))
    assert [one.text for one in made] == [one.text for one in alone]
    await client.ask(request)
    assert session.read_samples()[0] == made


async def test_samples_make_room_for_a_fit_and_go_on(
    client: EngineClient, session: Session, model: ModelChoice, choice: Callable[..., FitChoice]
) -> None:
    job = client.begin(many(session))
    async for event in job:
        if event["made"] >= 16:
            break
    await client.ask(StartFit(model=model, fit=choice()))
    assert not job.ended
    before = len(session.read_samples()[0])
    await state_of(client, lambda state: len(session.read_samples()[0]) > before)
    await job.cancel()
    with pytest.raises(Cancelled):
        await job.result()
    kept = session.read_samples()[0]
    assert len(sampled_keys(kept)) == len(kept) < 4 * len(LONG)


async def test_a_newer_request_takes_the_place_of_the_older(client: EngineClient, session: Session) -> None:
    old = client.begin(many(session))
    async for _ in old:
        break
    waiting = client.begin(many(session))
    new = client.begin(SampleFeatures(session=str(session.path), features=(3,), limit=1, sampling=SHORT))
    for job in (old, waiting):
        with pytest.raises(Cancelled, match="a newer request"):
            await job.result()
    assert (await new.result())["made"] == 2


async def test_a_reply_is_streamed_and_kept(client: EngineClient, session: Session) -> None:
    rack = (RackEntry(features=(1,), strength=2.0),)
    reply = Reply(session=str(session.path), chat="one", text="Who?", rack=rack, sampling=SHORT, compare=True)
    job = client.begin(reply)
    pieces = [event async for event in job]
    said = await job.result()
    for side, text in (("steered", said["text"]), ("unsteered", said["unsteered"])):
        assert "".join(piece["text"] for piece in pieces if piece["side"] == side) == text
    kept = session.chat("one").read().records
    assert [record["role"] for record in kept] == ["user", "assistant"]
    assert kept[1]["content"] == said["text"] and kept[1]["unsteered"] == said["unsteered"]
    anew = await client.ask(Reply(session=str(session.path), chat="one", text=None, keep=1, rack=rack, sampling=SHORT))
    assert anew["text"] == said["text"] and anew["unsteered"] is None


async def test_a_reply_goes_on_when_its_client_has_left(
    engine: EngineInfo, client: EngineClient, session: Session
) -> None:
    leaving = await connect(engine)
    job = leaving.begin(Reply(session=str(session.path), chat="one", text="Who?"))
    async for _ in job:
        break
    await leaving.close()
    with pytest.raises(EngineGone):
        await job.result()
    await state_of(client, lambda state: not state.jobs)
    assert [record["role"] for record in session.chat("one").read().records] == ["user", "assistant"]


async def test_a_reply_is_followed_from_its_start_by_whoever_comes_later(
    engine: EngineInfo, client: EngineClient, session: Session
) -> None:
    rack = (RackEntry(features=(1,), strength=2.0),)
    asked = client.begin(Reply(session=str(session.path), chat="one", text="Who?", rack=rack, compare=True))
    async for _ in asked:
        break
    later = await connect(engine)
    assert later.state is not None
    (job,) = later.state.jobs
    assert (job.do, job.chat, job.session) == ("reply", "one", str(session.path))
    first, *pieces = [event async for event in later.begin(Watch(job=job.id))]
    said = await asked.result()
    assert first == {"rack": "1:+2", "compare": True}
    for side, text in (("steered", said["text"]), ("unsteered", said["unsteered"])):
        assert "".join(piece["text"] for piece in pieces if piece["side"] == side) == text
    assert await later.ask(Watch(job=job.id)) == {}
    await later.close()


async def test_who_no_longer_follows_a_job_does_not_stop_it(
    engine: EngineInfo, client: EngineClient, session: Session
) -> None:
    asked = client.begin(many(session))
    state = await state_of(client, lambda state: any(job.state == "running" for job in state.jobs))
    later, leaving = await connect(engine), await connect(engine)
    following = later.begin(Watch(job=state.jobs[0].id))
    leaving.begin(Watch(job=state.jobs[0].id))
    await leaving.ask(Hello())
    await leaving.close()
    await following.cancel()
    assert await following.result() == {}
    again = later.begin(Watch(job=state.jobs[0].id))
    async for event in again:  # it goes on
        assert event["of"] > 4 * len(LONG)
        break
    await asked.cancel()
    with pytest.raises(Cancelled):
        await again.result()
    await later.close()


async def test_any_client_can_stop_a_job_that_another_began(
    engine: EngineInfo, client: EngineClient, session: Session
) -> None:
    other = await connect(engine)
    job = other.begin(many(session))
    state = await state_of(client, lambda state: any(job.state == "running" for job in state.jobs))
    await client.ask(StopJob(job=state.jobs[0].id))
    with pytest.raises(Cancelled):
        await job.result()
    await other.close()


async def test_what_serves_its_client_alone_ends_with_it(
    engine: EngineInfo, client: EngineClient, session: Session, model: ModelChoice, choice: Callable[..., FitChoice]
) -> None:
    """It waits behind a fit, so it is there to be seen; and is gone with its client, the fit is not."""
    fit = client.begin(StartFit(model=model, fit=choice(iterations=ENDLESS)))
    await iterations(fit, 1)
    leaving = await connect(engine)
    leaving.begin(Load(model=model))
    await state_of(client, lambda state: [job.do for job in state.jobs] == ["fit", "load"])
    await leaving.close()
    await state_of(client, lambda state: [job.do for job in state.jobs] == ["fit"])
    await fit.cancel()
    with pytest.raises(Cancelled):
        await fit.result()


async def test_contrasts_are_those_made_without_an_engine(client: EngineClient, session: Session) -> None:
    from dct_tui.api import open_model
    from dct_tui.jobs.contrast_job import contrast_scores

    scores = (await client.ask(Contrast(session=str(session.path), towards="a", away="b")))["scores"]
    assert scores == contrast_scores(open_model(session.record.model.spec), session, "a", "b")


async def test_a_session_of_another_model_has_that_one_opened(
    client: EngineClient, session: Session, make_llama: Callable[..., Path], tmp_path: Path
) -> None:
    other = make_llama(tmp_path / "other", seed=1)
    job = client.begin(Load(model=ModelChoice(name=str(other))))
    parts = [event["part"] for event in [event async for event in job]]
    assert parts[0] == "config" and parts[-1] == "proving"
    assert (await job.result())["model"] == str(other)
    contrast = client.begin(Contrast(session=str(session.path), towards="a", away="b"))
    assert {event["stage"] for event in [event async for event in contrast]} == {"load"}
    await contrast.result()
    await state_of(client, lambda state: state.model == session.record.model.spec)
    again = client.begin(Contrast(session=str(session.path), towards="a", away="b"))
    assert [event async for event in again] == []


async def test_a_model_that_changed_on_disk_is_opened_anew(
    client: EngineClient, make_llama: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_llama(tmp_path / "trained", seed=1)
    choice = Load(model=ModelChoice(name=str(folder)))
    await client.ask(choice)
    held = client.begin(choice)
    assert [event async for event in held] == []
    make_llama(folder, seed=2)
    anew = client.begin(choice)
    assert [event async for event in anew] != []


async def test_a_slip_of_the_pen_costs_no_model(client: EngineClient, model: ModelChoice) -> None:
    await client.ask(Load(model=model))
    with pytest.raises(DctError, match="there is no model"):
        await client.ask(Load(model=ModelChoice(name="no/such")))
    async with asyncio.timeout(TIMEOUT):
        assert (await client.ask(Load(model=model)))["model"] == model.name
