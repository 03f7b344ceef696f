"""The features screen: what is listed and read, at any width, whatever the texts hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.geometry import Region

from dct_tui.inert import columns
from dct_tui.screens import features_base
from dct_tui.screens.widgets.feature_list import FeatureList
from dct_tui.sessions import Mark, Session, replay
from tests.fitted import PROMPTS, add_samples, fitted_session, sample
from tests.screens.triage_app import counts, features_of, lines, text_of, until

SWAN, MOON = PROMPTS
SAMPLES = [
    sample(None, "in the lake.", SWAN),
    sample(None, "nobody did.", MOON),
    sample(1, "arr, in the lake!", SWAN, 1.0),
    sample(1, "nobody did.", MOON, 1.0),
    sample(1, "ARR " * 30, SWAN, 1.4),
    sample(1, "arr, matey!", MOON, 1.4),
    sample(1, "in the lake.", SWAN, 0.6),
    sample(2, "in the lake.", SWAN, 1.0),
]


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features_base, "REST_S", 0.001)


@pytest.fixture
def session(home: Path) -> Session:
    return fitted_session(home / "sessions" / "one", samples=SAMPLES)


async def test_what_a_line_says(session: Session) -> None:
    async with features_of(session, size=(160, 40)) as (pilot, screen):
        await until(pilot, lambda: screen.triage.sampled() == 2)
        head, zero, one, two, *_ = lines(screen.listed)
        assert head.split() == ["rank", "no.", "words", "effect", "chang", "tags", "sample"] or "rank" in head
        assert zero.split() == ["›", "1", "0", "word0", "Shared", "0", "·"]
        assert one.split()[:6] == ["2", "1", "word1", "Shared", "1", "50%"] and "arr, in the lake!" in one
        assert "= unsteered" in two
        assert "2 sampled" in counts(screen) and "6 left" in counts(screen) and "by rank" in counts(screen)


async def test_wide_the_pane_follows_the_cursor(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        assert "feature 0" in text_of(screen.pane) and "not sampled yet" in text_of(screen.pane)
        await pilot.press("j")
        await until(pilot, lambda: "feature 1" in text_of(screen.pane))
        text = text_of(screen.pane)
        assert "[1]" in text and "0.6" in text and "1.4" in text
        assert "changed 50%  broken 0%" in text
        swan, moon = text.index(f"▸ {SWAN}"), text.index(f"▸ {MOON}")
        assert swan < text.index("arr, in the lake!") < text.index("│ in the lake.") < moon
        assert "= the unsteered text" in text[moon:]


async def test_strengths(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await pilot.press("j")
        await pilot.press("l")
        assert "[1.4]" in text_of(screen.pane) and "broken" in text_of(screen.pane) and "matey" in text_of(screen.pane)
        await pilot.press("l", "right")
        assert "[1.4]" in text_of(screen.pane), "there is none above"
        await pilot.press("left")
        assert "[1]" in text_of(screen.pane)
        await pilot.press("right")
        assert "[1.4]" in text_of(screen.pane)
        await pilot.press("h", "left", "h")
        assert "[0.6]" in text_of(screen.pane)
        await pilot.press("j", "k")
        await until(pilot, lambda: "[1]" in text_of(screen.pane))
        await pilot.press("g", "l", "h")  # of a feature without samples


async def test_narrow_enter_reads_in_place_of_the_list(session: Session) -> None:
    async with features_of(session, size=(80, 24)) as (pilot, screen):
        assert screen.listed.display and not screen.pane.display
        await pilot.press("j", "enter")
        await until(pilot, lambda: screen.pane.has_focus and "feature 1" in text_of(screen.pane))
        assert not screen.listed.display
        await pilot.press("s")
        await until(pilot, lambda: "feature 2" in text_of(screen.pane))
        assert screen.triage.rows[1].marks.verdict == "starred", "marks work while reading"
        await pilot.press("K")
        await until(pilot, lambda: "★ starred" in text_of(screen.pane))
        await pilot.press("J", "J")
        await until(pilot, lambda: "feature 3" in text_of(screen.pane))
        for back in ("q", "escape", "enter"):
            await pilot.press(back)
            assert screen.listed.display and screen.listed.has_focus and not screen.pane.display
            await pilot.press("enter")
            await until(pilot, lambda: screen.pane.has_focus)


async def test_wide_enter_goes_to_the_pane_and_back(session: Session) -> None:
    async with features_of(session, size=(120, 14)) as (pilot, screen):
        await pilot.press("j", "enter")
        await until(pilot, lambda: screen.pane.has_focus and "feature 1" in text_of(screen.pane))
        first = text_of(screen.pane)
        await pilot.press("G")
        assert text_of(screen.pane) != first and not screen.pane.more
        await pilot.press("k", "j", "pageup", "pagedown", "g")
        assert text_of(screen.pane) == first
        await pilot.press("q")
        assert screen.listed.has_focus and screen.listed.here == 1
        await pilot.press("q")
        assert pilot.app.screen is not screen, "once more goes home"


async def test_from_narrow_to_wide(session: Session) -> None:
    async with features_of(session, size=(80, 24)) as (pilot, screen):
        await pilot.press("j")
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: screen.pane.display and "feature 1" in text_of(screen.pane))
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: not screen.pane.display)
        assert screen.listed.here == 1


async def test_samples_that_arrive_are_shown_and_nothing_else_is_repainted(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await until(pilot, lambda: screen.triage.sampled() == 2)
        painted: list[Region] = []
        refresh = screen.listed.refresh

        def spy(*regions: Region, **options: bool) -> FeatureList:
            painted.extend(regions or [screen.listed.size.region])
            return refresh(*regions, **options)

        screen.listed.refresh = spy  # type: ignore[method-assign]
        add_samples(session, [sample(4, "BOW", SWAN), sample(0, "ahoy", SWAN)])
        screen.pulse()
        assert [region.y for region in painted] == [1, 5]
        await pilot.pause()
        assert "BOW" in lines(screen.listed)[5]
        assert "ahoy" in text_of(screen.pane), "the feature that is being read"
        assert "4 sampled" in counts(screen)
        painted.clear()
        screen.pulse()
        assert painted == []


async def test_a_move_and_a_mark_repaint_little(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await until(pilot, lambda: screen.triage.sampled() == 2)
        painted: list[Region] = []
        refresh = screen.listed.refresh

        def spy(*regions: Region, **options: bool) -> FeatureList:
            painted.extend(regions or [screen.listed.size.region])
            return refresh(*regions, **options)

        screen.listed.refresh = spy  # type: ignore[method-assign]
        await pilot.press("j")
        reach = screen.listed.highlight
        assert reach is not None and reach < 40
        assert painted == [Region(0, 1, reach, 1), Region(0, 2, reach, 1)]
        painted.clear()
        await pilot.press("s")
        assert painted == [Region(0, 2, 3, 1), Region(0, 2, reach, 1), Region(0, 3, reach, 1)]


async def test_where_one_was_is_kept(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await pilot.press("j", "j", "j", "O")
        assert screen.listed.here == 3
    async with features_of(session) as (pilot, screen):
        assert screen.listed.here == 3 and screen.triage.shown == [5, 4, 3, 2, 1, 0]


async def test_the_marks_of_another_are_read_along(session: Session) -> None:
    with session.writing("marks"):
        async with features_of(session) as (pilot, screen):
            assert "read along: process" in counts(screen)
            session.marks.append(Mark("star", (2,)).encode())
            screen.pulse()
            await pilot.pause()
            assert "★" in lines(screen.listed)[3]
            await pilot.press("x")
            assert type(pilot.app.screen).__name__ == "ErrorDialog"
            await pilot.press("escape")
            assert screen.triage.rows[0].marks.verdict is None
    assert replay(session.read_marks()[0]).rejected() == []


async def test_whoever_reads_along_marks_once_the_other_has_gone(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        screen.triage.close()
        with session.writing("marks"):
            screen.pulse()
            assert "read along: process" in counts(screen)
        screen.pulse()
        assert "read" not in counts(screen)
        await pilot.press("s")
        assert replay(session.read_marks()[0]).starred() == [0]


async def test_the_pen_is_free_when_the_session_is_closed(session: Session) -> None:
    async with features_of(session) as (pilot, _):
        assert session.writer("marks") is not None
        await pilot.app.close_session()  # type: ignore[attr-defined]
        assert session.writer("marks") is None


@pytest.mark.parametrize("missing", ["features.json", "fit.safetensors"])
async def test_without_features_it_says_what_to_do(session: Session, missing: str) -> None:
    (session.path / "features.json").unlink()
    if missing == "fit.safetensors":
        (session.path / missing).unlink()
    from dct_tui.screens.app import Workbench

    app = Workbench(session=session.path, find=_none)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.action_go("features")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, features_base.TriageScreen)
        assert "2 shows the fit" in text_of(screen.listed)
        for key in ("j", "s", "enter", "t", "b", "i", "X", "]", "n", "l", "y", "o", "S", "A", "u", "r"):
            await pilot.press(key, "escape")
        assert session.read_marks() == ([], [])


async def _none() -> list[object]:
    return []


HOSTILE = {
    "escapes": "\x1b[31mred\x1b]0;title\x07 \x9b2J\x08\x7f",
    "markup": "[b]bold[/b] [@click=app.quit]x[/] [red]",
    "right to left": "\u202eback\u2066 ‏שלום مرحبا",
    "wide": "日本語テキスト" * 40,
    "combining": "e\u0301\u0323" * 99 + "👨‍👩‍👧‍👦🇩🇪",
    "long": "x" * 10_000,
    "lines": "a\r\nb\n\n\tc\u2028d" * 20,
    "empty": "",
}


@pytest.mark.parametrize("kind", list(HOSTILE))
@pytest.mark.parametrize("size", [(80, 24), (111, 30)])
async def test_hostile_texts(home: Path, kind: str, size: tuple[int, int]) -> None:
    text = HOSTILE[kind]
    session = fitted_session(
        home / "sessions" / "one",
        samples=[sample(None, "plain"), sample(0, text), sample(1, text, strength=1.4)],
        words=[text[:200]],
    )
    session.marks.append(Mark("note", (0,), text[:500]).encode())
    session.marks.append(Mark("tag", (0, 1), text[:40] or "x").encode())
    async with features_of(session, size=size) as (pilot, screen):
        await until(pilot, lambda: screen.triage.sampled() == 2)
        for keys in ("enter", "J", "G", "q", "g space space equals_sign", "q", "i", "q", "slash a"):
            await pilot.press(*keys.split())
            await pilot.pause()
            for widget in (screen.listed, screen.pane):
                if widget.display:
                    assert len(lines(widget)) == widget.content_size.height
            shot = pilot.app.export_screenshot()
            assert "\x1b" not in shot and "\x07" not in shot
        assert pilot.app.is_running


async def test_thousands_of_features(home: Path) -> None:
    session = fitted_session(home / "sessions" / "one", count=4096)
    async with features_of(session) as (pilot, screen):
        await pilot.press("G")
        assert screen.listed.here == 4095 and "4095" in lines(screen.listed)[-1]
        await pilot.press("g", "v", "G", "x")
        assert counts(screen).startswith(" 0★ 4096✗ · all judged")
        await pilot.press("u")
        assert counts(screen).startswith(" 0★ 0✗ · 4096 left")
        assert columns(counts(screen)) <= 120
