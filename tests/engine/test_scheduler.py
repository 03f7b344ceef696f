"""The queue without a model: works that a test holds up where it likes."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dct_tui.engine.scheduler import Scheduler, Work
from dct_tui.errors import DctError

REPLY, CALIBRATE, FIT, SAMPLE = 0, 2, 3, 4
TIMEOUT = 20


class Job:
    """A work that takes the steps a test gives it; each ends in a look up."""

    ids = itertools.count(1)

    def __init__(self, scheduler: Scheduler, rank: int, *, gives_way: bool = False, **options: Any) -> None:
        self.scheduler, self.gives_way = scheduler, gives_way
        self.steps: queue.Queue[str] = queue.Queue()
        self.began: queue.Queue[int] = queue.Queue()
        self.done: queue.Queue[int] = queue.Queue()
        self.outcome: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self.paused = threading.Event()
        self.work = Work(
            id=next(self.ids),
            do=str(rank),
            rank=rank,
            perform=self.perform,
            tell=lambda event: None,
            end=lambda kind, value: self.outcome.put((kind, value)),
            fits=options.pop("fits", lambda: True),
            brief=rank == REPLY,
            on_pause=self.paused.set,
            **options,
        )

    def perform(self, work: Work) -> dict[str, Any]:
        self.began.put(work.id)
        for count in itertools.count(1):
            step = self.steps.get(timeout=TIMEOUT)
            if step == "end":
                return {"steps": count}
            if step != "go":
                raise {"fail": ValueError("broken"), "refuse": DctError("no", "yes")}[step]
            self.scheduler.look_up(work, may_give_way=self.gives_way)
            self.done.put(count)
        raise AssertionError

    def submit(self) -> Job:
        self.scheduler.submit(self.work)
        return self

    def begun(self) -> Job:
        self.began.get(timeout=TIMEOUT)
        return self

    def step(self) -> None:
        """One step, to its end."""
        self.steps.put("go")
        self.done.get(timeout=TIMEOUT)

    def end(self) -> tuple[str, dict[str, Any]]:
        self.steps.put("end")
        return self.outcome.get(timeout=TIMEOUT)


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    scheduler = Scheduler(lambda: None)
    thread = threading.Thread(target=scheduler.run)
    thread.start()
    yield scheduler
    scheduler.shut("the test is over")
    thread.join(TIMEOUT)
    assert not thread.is_alive()


@pytest.fixture
def job(scheduler: Scheduler) -> Callable[..., Job]:
    return lambda rank, **options: Job(scheduler, rank, **options)


def test_the_lower_rank_goes_first_and_the_older_of_one_rank(scheduler: Scheduler, job: Callable[..., Job]) -> None:
    first = job(FIT).submit().begun()
    later = [job(rank).submit() for rank in (SAMPLE, FIT, CALIBRATE, FIT)]
    assert scheduler.works() == [first.work, *(later[place].work for place in (2, 1, 3, 0))]
    assert first.end() == ("result", {"steps": 1})
    for place in (2, 1, 3, 0):
        later[place].begun().end()


def test_a_brief_job_is_done_in_the_midst_of_a_fit(job: Callable[..., Job]) -> None:
    fit, reply, calibration = job(FIT).submit().begun(), job(REPLY), job(CALIBRATE)
    calibration.submit()
    reply.submit()
    fit.steps.put("go")
    reply.begun().step()
    assert fit.done.empty()
    assert reply.end()[0] == "result"
    fit.done.get(timeout=TIMEOUT)
    assert calibration.began.empty()
    fit.end()
    calibration.begun().end()


def test_a_brief_job_for_another_model_waits(job: Callable[..., Job]) -> None:
    fit = job(FIT).submit().begun()
    reply = job(REPLY, fits=lambda: False).submit()
    fit.step()
    assert reply.began.empty()
    fit.end()
    reply.begun().end()


def test_a_guest_that_cannot_say_whether_it_fits_does_its_host_no_harm(
    scheduler: Scheduler, job: Callable[..., Job]
) -> None:
    def gone() -> bool:
        raise FileNotFoundError("config.json")

    fit = job(FIT).submit().begun()
    load = job(CALIBRATE, fits=gone).submit()
    scheduler.pause(fit.work, True)
    fit.steps.put("go")
    assert fit.paused.wait(TIMEOUT)
    scheduler.pause(fit.work, False)
    fit.done.get(timeout=TIMEOUT)
    assert fit.end()[0] == "result" and load.begun().end()[0] == "result"


def test_the_queue_is_free_while_a_guest_and_a_pause_touch_the_disk(
    scheduler: Scheduler, job: Callable[..., Job]
) -> None:
    """Asked in the worker's thread, both wait for an answer that another thread can give only if no lock is held."""

    def answered_elsewhere() -> bool:
        asked = threading.Thread(target=scheduler.works, daemon=True)
        asked.start()
        asked.join(TIMEOUT)
        free.append(not asked.is_alive())
        return False

    free: list[bool] = []
    fit = job(FIT).submit().begun()

    def on_pause() -> None:
        answered_elsewhere()
        fit.paused.set()

    fit.work.on_pause = on_pause
    load = job(CALIBRATE, fits=answered_elsewhere).submit()
    scheduler.pause(fit.work, True)
    fit.steps.put("go")
    assert fit.paused.wait(TIMEOUT)
    scheduler.pause(fit.work, False)
    fit.done.get(timeout=TIMEOUT)
    assert len(free) >= 2 and all(free)
    fit.end()
    load.begun().end()


def test_a_sample_makes_room_for_a_fit_and_goes_on(scheduler: Scheduler, job: Callable[..., Job]) -> None:
    sample = job(SAMPLE, gives_way=True).submit().begun()
    fit = job(FIT).submit()
    sample.steps.put("go")
    fit.begun()
    assert [work.state for work in scheduler.works()] == ["running", "waiting"]
    fit.end()
    sample.begun().step()
    assert sample.end() == ("result", {"steps": 2})


def test_a_paused_fit_rests_lets_others_in_and_takes_its_place_again(
    scheduler: Scheduler, job: Callable[..., Job]
) -> None:
    fit = job(FIT).submit().begun()
    scheduler.pause(fit.work, True)
    fit.steps.put("go")
    assert fit.paused.wait(TIMEOUT)
    second = job(FIT).submit()
    sample = job(SAMPLE, gives_way=True).submit().begun()
    sample.step()
    assert [work.state for work in scheduler.works()] == ["paused", "running", "waiting"]
    scheduler.pause(fit.work, False)
    sample.steps.put("go")  # In which it finds itself in the way.
    fit.done.get(timeout=TIMEOUT)
    fit.end()
    second.begun().end()
    assert sample.begun().end()[0] == "result"


def test_what_is_stopped_ends_where_it_looks_up(scheduler: Scheduler, job: Callable[..., Job]) -> None:
    running, waiting = job(FIT).submit().begun(), job(FIT).submit()
    scheduler.stop(waiting.work, "not wanted")
    kind, error = waiting.outcome.get(timeout=TIMEOUT)
    assert (kind, error["kind"], error["message"]) == ("error", "Cancelled", "not wanted")
    scheduler.stop(running.work)
    running.steps.put("go")
    assert running.outcome.get(timeout=TIMEOUT)[1]["kind"] == "Cancelled"


def test_what_is_stopped_while_it_rests_ends(scheduler: Scheduler, job: Callable[..., Job]) -> None:
    fit = job(FIT).submit().begun()
    scheduler.pause(fit.work, True)
    fit.steps.put("go")
    assert fit.paused.wait(TIMEOUT)
    scheduler.stop(fit.work)
    assert fit.outcome.get(timeout=TIMEOUT)[1]["kind"] == "Cancelled"


@pytest.mark.parametrize(
    ("step", "message", "hint"),
    [("fail", "the engine failed: ValueError: broken", "its log says more"), ("refuse", "no", "yes")],
)
def test_an_error_ends_one_job_alone(job: Callable[..., Job], step: str, message: str, hint: str) -> None:
    fit, reply = job(FIT).submit().begun(), job(REPLY).submit()
    fit.steps.put("go")
    reply.begun().steps.put(step)
    kind, error = reply.outcome.get(timeout=TIMEOUT)
    assert (kind, error) == ("error", {"message": message, "hint": hint, "kind": "DctError"})
    fit.done.get(timeout=TIMEOUT)
    assert fit.end() == ("result", {"steps": 2})


def test_at_the_end_everything_is_stopped_and_nothing_is_taken(scheduler: Scheduler, job: Callable[..., Job]) -> None:
    running, waiting = job(FIT).submit().begun(), job(SAMPLE).submit()
    scheduler.shut("the engine has ended")
    assert waiting.outcome.get(timeout=TIMEOUT)[1]["message"] == "the engine has ended"
    running.steps.put("go")
    assert running.outcome.get(timeout=TIMEOUT)[1]["message"] == "the engine has ended"
    with pytest.raises(DctError, match="is ending"):
        job(FIT).submit()
