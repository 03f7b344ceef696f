"""The journal of a fit as the screens read it: damaged, hostile, and with the times of a fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from benchmarks.synthetic import iteration
from dct_tui.durations import about
from dct_tui.screens.fit_watch import FitWatch
from dct_tui.screens.fit_words import clock, lines_of, log_lines
from dct_tui.screens.widgets.line_plot import LinePlot
from dct_tui.sessions import Session
from tests.screens.fitting import begun, opened, pulse
from tests.screens.looking import screen_text
from tests.sessions.test_progress import hostile_lines


@pytest.mark.parametrize(
    "record",
    [
        {"iteration": "many"},
        {"iteration": -1},
        {"iteration": True},
        {"iteration": 4, "objective": "\x1b[2J", "change": None, "settled": [], "seconds": -1, "memory": "x"},
        {"iteration": 4, "change": 0, "objective": 1e300, "settled": 7},
        {"stage": "\x1b[31m", "done": 1, "of": 0, "at": 5},
        {"stage": ["fit"], "done": "x"},
    ],
)
async def test_odd_records_are_borne(home: Path, record: dict[str, Any]) -> None:
    session = begun(home, "stopped", 3)
    session.progress.append(record)
    async with opened(session) as pilot:
        assert "■ stopped" in screen_text(pilot.app) and "\x1b" not in screen_text(pilot.app)


async def test_lines_that_cannot_be_read_are_counted(home: Path) -> None:
    session = begun(home, "stopped", 3)
    with session.progress.path.open("ab") as file:
        file.write(b'{"iteration":4,"seconds":"long"}\n{"iteration":1e400}\n')
    async with opened(session) as pilot:
        text = screen_text(pilot.app)
        assert "2 lines of its journal cannot be read" in text and "iteration 3 of 10" in text


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return begun(tmp_path_factory.mktemp("watched"), "stopped")


@given(lines=some.lists(hostile_lines, max_size=6), status=some.sampled_from(["stopped", "fitted", "failed"]))
@example(lines=[b'{"iteration":1,"objective":-1e30}', b'{"iteration":2,"objective":1e30}'], status="stopped")
@example(lines=[b'{"iteration":1,"seconds":1e9}'] * 3, status="fitted")
def test_no_journal_keeps_a_fit_from_being_shown(watched: Session, lines: list[bytes], status: Any) -> None:
    watched.progress.path.write_bytes(b"".join(line + b"\n" for line in lines))
    with watched.writing():
        watched.update_record(status=status)
    watch = FitWatch(Session.open(watched.path))
    view = watch.look()
    assert view.unreadable + len(watch.happened) == len(lines)
    said = [text for line in lines_of(view, "here") for text, _ in line]
    said += [text for pair in log_lines(watch.happened, view) for text in pair]
    plots = [LinePlot("objective"), LinePlot("change", logarithmic=True), LinePlot("settled", bounds=(0.0, 1.0))]
    for plot, name in zip(plots, ("objective", "change", "settled"), strict=True):
        points = [(entry.iteration, value) for entry in view.entries if (value := getattr(entry, name)) is not None]
        plot.draw(points, view.of)
        said += [text for line in plot._lines(30, 5) for text, _ in line]
    assert not any(text in word for word in said for text in ("\x1b", "nan", "inf "))


# Times


def test_a_time_is_said_one_way() -> None:
    seconds = (0, 4, 12, 55, 58, 89, 150, 3540, 6100, 7800, 200_000, 2e9, float("inf"))
    assert [about(one) for one in seconds] == [
        "about 5 s", "about 5 s", "about 15 s", "about 55 s", "about 1 min", "about 1 min", "about 2 min",
        "about 59 min", "about 1 h 40 min", "about 2 h 10 min", "about 55 h", "more than thirty years",
        "more than thirty years",
    ]  # fmt: skip


async def test_what_it_took_stands_beside_what_was_forecast(home: Path) -> None:
    session = begun(home, "fitting")
    session.progress.append({"stage": "begin", "iteration": 0, "expected": 240.0, "at": "2026-01-02T03:00:00Z"})
    for number in range(1, 11):
        session.progress.append({**iteration(number, session.record), "seconds": 12.0})
    async with opened(session) as pilot:
        with session.writing():
            assert "forecast about 4 min" in await pulse(pilot)
            session.progress.append({"stage": "end", "iteration": 10, "besides": 60.0, "at": "2026-01-02T03:03:09Z"})
            session.update_record(status="stopped")
        text = await pulse(pilot)
        last = next(line for line in reversed(text.splitlines()) if "in all" in line)
        assert "stopped, about 3 min in all, forecast about 4 min" in last, "of iterations and of all else"
        assert clock("2026-01-02T03:03:09Z") in last
    assert Session.open(session.path).record.status == "stopped"
