"""The fit screen: every state from the folder alone, and curves that are what was measured."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.synthetic import iteration, make_session, record_of
from dct_tui.screens.widgets.line_plot import braille
from tests.screens.fitting import SMALL, begun, offered, opened, pulse
from tests.screens.looking import screen_text


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
@pytest.mark.parametrize(
    ("status", "iterations", "words", "keys"),
    [
        ("created", 0, "○ created not begun: r starts it", {"resume"}),
        ("stopped", 4, "■ stopped iteration 4 of 10 r goes on from iteration 4", {"resume"}),
        ("fitting", 3, "■ interrupted iteration 3 of 10 its process has ended", {"resume"}),
        ("failed", 2, "✗ failed NaN in V r goes on from iteration 2", {"resume"}),
    ],
)
async def test_a_fit_that_does_not_run(
    home: Path, status: str, iterations: int, words: str, keys: set[str], size: tuple[int, int]
) -> None:
    async with opened(begun(home, status, iterations, failure="NaN in V"), size=size) as pilot:
        text = screen_text(pilot.app)
        for word in words.split():
            assert word in text, word
        assert offered(pilot) & {"resume", "pause", "stop", "finish"} == keys
        assert "R = 12.5, 31% of the stream's median norm, calibrated" in text


async def test_a_fitted_one_leads_to_its_features(home: Path) -> None:
    async with opened(make_session(home / "sessions" / "one", SMALL)) as pilot:
        assert "✓ fitted" in screen_text(pilot.app) and "8 features in about 10 s" in screen_text(pilot.app)
        await pilot.press("enter")
        await pilot.pause()
        assert pilot.app.current_mode == "features"


async def test_features_are_not_gone_to_before_they_are_there(home: Path) -> None:
    async with opened(begun(home, "stopped", 4)) as pilot:
        await pilot.press("enter")
        assert pilot.app.current_mode == "fit"


async def test_a_fit_elsewhere_is_followed_from_its_journal(home: Path) -> None:
    session = begun(home, "created", calibration=None)
    async with opened(session) as pilot:
        with session.writing():
            session.update_record(status="fitting")
            assert "● calibrating" in await pulse(pilot) and "R is not known yet" in screen_text(pilot.app)
            session.update_record(calibration={"scale": 3.0, "kind": "fallback", "reference": 6.0})
            session.progress.append(iteration(1, session.record))
            text = await pulse(pilot)
            assert "● fitting  iteration 1 of 10" in text and "about 10 s left" in text
            assert (
                "R = 3, 50% of the stream" in text and "no bend was found" in text and f"process {os.getpid()}" in text
            )
            assert "! above 45% of that norm models mostly break" in text and "such as 1.8" in text
            session.progress.append({"stage": "fit", "iteration": 1, "done": 3, "of": 4, "at": "2026-01-02T03:04:09Z"})
            assert "about 10 s left" in await pulse(pilot)
            for number in range(2, 11):
                session.progress.append(iteration(number, session.record))
            assert "● describing" in await pulse(pilot)
            session.progress.append({"stage": "describe", "iteration": 10, "done": 2, "of": 8})
            text = await pulse(pilot)
            assert "features described" in text and "25%" in text
            session.update_record(status="failed", failure="no room")
        assert "✗ failed" in await pulse(pilot) and "no room" in screen_text(pilot.app)


async def test_an_iteration_that_was_done_again_counts_once(home: Path) -> None:
    session = begun(home, "stopped", 3)
    session.progress.append({**iteration(3, session.record), "objective": 123.0})
    async with opened(session) as pilot:
        assert "objective 123" in screen_text(pilot.app) and "iteration 3 of 10" in screen_text(pilot.app)


async def test_hostile_names_and_reasons(home: Path) -> None:
    hostile = "\x1b[31mred [b]x[/b] \u202eback " + "日本" * 200
    session = begun(home, "failed", 1, failure=hostile, model=replace(record_of("x", SMALL).model, spec=hostile))
    async with opened(session) as pilot:
        await pilot.press("i")
        await pilot.pause()
        text = screen_text(pilot.app)
        assert "[b]x[/b]" in text and "\x1b" not in text and "\u202e" not in text


# What is painted


async def test_without_news_nothing_is_painted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dct_tui.screens.widgets.changing_lines import ChangingLines
    from dct_tui.screens.widgets.fit_log import FitLog

    painted: list[object] = []
    session = begun(home, "stopped", 4)
    async with opened(session) as pilot:
        for kind in (ChangingLines, FitLog):
            monkeypatch.setattr(kind, "refresh", lambda self, *regions, **options: painted.append(self) or self)
        for _ in range(3):
            await pulse(pilot)
        assert painted == []
        session.progress.append(iteration(5, session.record))
        await pulse(pilot)
        assert painted


def test_a_curve_goes_through_its_points() -> None:
    """Against dots placed by hand: 2 × 4 of them in a character."""
    lines = braille([(0, 0.0), (7, 7.0)], 4, 2, (0, 7), (0, 7))
    dots = {
        (2 * column + x, 4 * row + y)
        for row, line in enumerate(lines)
        for column, char in enumerate(line)
        for y, bits in enumerate(((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80)))
        for x, bit in enumerate(bits)
        if char != " " and (ord(char) - 0x2800) & bit
    }
    assert dots == {(place, 7 - place) for place in range(8)}, "the diagonal, and nothing beside it"
    assert braille([], 3, 2, (1, 2), (0, 1)) == ["   ", "   "]
    assert braille([(1, 5.0), (2, 5.0)], 1, 1, (1, 2), (5, 5)) != [" "], "a flat line is one too"
