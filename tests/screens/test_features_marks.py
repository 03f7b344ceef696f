"""Marking by keys: what each does, to how many, and how it is taken back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dct_tui.screens import clipboard, features_base
from dct_tui.screens.dialogs import ErrorDialog
from dct_tui.screens.features import FeaturesScreen
from dct_tui.sessions import MarkState, Session, replay
from dct_tui.sessions.rack import RackEntry
from dct_tui.triage.settings import TriageSettings, write_settings
from tests.fitted import fitted_session, sample
from tests.screens.triage_app import counts, features_of, lines, text_of, until


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features_base, "REST_S", 0.001)


@pytest.fixture
def session(home: object, tmp_path: object) -> Iterator[Session]:
    samples = [sample(None, "in the lake."), sample(1, "arr, matey!"), sample(4, "arr, matey!")]
    yield fitted_session(home / "sessions" / "one", samples=samples)  # type: ignore[operator]


def marks(session: Session) -> MarkState:
    """What is on disk."""
    return replay(session.read_marks()[0])


def glyphs(screen: FeaturesScreen) -> str:
    return "".join(line[2:3] or " " for line in lines(screen.listed)[1:7])


async def test_star_and_reject_go_on_to_the_next_unjudged(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await pilot.press("j", "s")
        assert marks(session).starred() == [1] and screen.listed.here == 2
        await pilot.press("k", "k", "x")
        assert marks(session).rejected() == [0] and screen.listed.here == 2, "over the one that is judged"
        assert glyphs(screen) == "✗★    "
        assert counts(screen).startswith(" 1★ 1✗ · 4 left")
        await pilot.press("G", "s")
        assert screen.listed.here == 5, "there is none below"


async def test_once_more_takes_it_off(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await pilot.press("s", "k", "s")
        assert marks(session).features == {} and screen.listed.here == 0
        await pilot.press("s", "k", "x")
        assert marks(session).rejected() == [0], "the other verdict takes its place"


@pytest.mark.parametrize("way", ["settings of the session", "config", "key"])
async def test_going_on_can_be_switched_off(session: Session, way: str, home: object) -> None:
    if way == "settings of the session":
        write_settings(session.path, TriageSettings(advance=False))
    if way == "config":
        (home / "config.toml").write_text("[triage]\nauto_advance = false\n")  # type: ignore[operator]
    async with features_of(session) as (pilot, screen):
        if way == "key":
            await pilot.press("S", "j", "j", "j", "enter")
            await pilot.press("escape")
            await until(pilot, lambda: pilot.app.screen is screen)
        await pilot.press("s")
        assert marks(session).starred() == [0] and screen.listed.here == 0


async def test_undo_and_redo_go_where_they_act(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await pilot.press("s", "x", "G", "u")
        assert screen.listed.here == 1 and marks(session).rejected() == []
        await until(pilot, lambda: "undone: ✗ on 1" in counts(screen))
        await pilot.press("u")
        assert screen.listed.here == 0 and marks(session).features == {}
        await pilot.press("u")
        await until(pilot, lambda: "nothing more to take back" in counts(screen))
        await pilot.press("U", "U", "U")
        assert marks(session).starred() == [0] and marks(session).rejected() == [1]
        assert glyphs(screen) == "★✗    "


async def test_undo_reaches_back_over_a_restart(session: Session) -> None:
    async with features_of(session) as (pilot, _):
        await pilot.press("s", "x")
    async with features_of(session) as (pilot, screen):
        assert glyphs(screen) == "★✗    "
        await pilot.press("u", "u")
        assert marks(session).features == {}


async def test_several_are_selected_and_marked_at_once(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await pilot.press("space", "j", "space")
        assert screen.selected == {0, 2} and "2 selected" in counts(screen)
        assert [line[1] for line in lines(screen.listed)[1:5]] == ["▪", " ", "▪", " "]
        await pilot.press("x")
        assert marks(session).rejected() == [0, 2] and screen.selected == frozenset()
        assert len(session.read_marks()[0]) == 1, "one event, so that one undo takes it back"
        await pilot.press("u")
        assert marks(session).features == {}


async def test_a_range_grows_with_the_cursor(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await pilot.press("space", "j", "v", "j", "j")
        assert screen.selected == {0, 2, 3, 4}
        await pilot.press("k", "k", "k")
        assert screen.selected == {0, 1, 2}
        await pilot.press("v", "G")
        assert screen.selected == {0, 1, 2}, "it has ended"
        await pilot.press("escape")
        assert screen.selected == frozenset() and "selected" not in counts(screen)


async def test_a_range_typed_faster_than_the_list_tells(session: Session) -> None:
    async with features_of(session) as (_, screen):
        # Nothing that the list posts is handled between these.
        screen.action_range()
        for _ in range(3):
            screen.listed.action_move(1)
        assert screen.targets() == [0, 1, 2, 3]
        screen.action_range()
        assert screen.selected == {0, 1, 2, 3}


async def test_tags(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await pilot.press("t", *"pirate, very rude", "enter")
        await until(pilot, lambda: "#pirate" in text_of(screen.listed))
        assert marks(session).features[0].tags == {"pirate", "very rude"}
        await pilot.press("j", "full_stop")
        assert marks(session).features[1].tags == {"pirate", "very rude"} and screen.listed.here == 1
        await pilot.press("t", *"-pirate", "enter")
        await until(pilot, lambda: marks(session).features[1].tags == {"very rude"})
        await pilot.press("t", "escape")
        assert pilot.app.screen is screen
        await pilot.press("t", "comma", "enter")
        assert pilot.app.screen is not screen, "no name is no tag"
        await pilot.press("escape", "t", *"x" * 41, "enter")
        assert pilot.app.screen is not screen, "nor is a very long one"
        await pilot.press("escape")
        assert len(session.read_marks()[0]) == 5


async def test_notes(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await pilot.press("c", *"look again", "enter")
        await until(pilot, lambda: "note: look again" in text_of(screen.pane))
        await pilot.press("c", "end", "!", "enter")
        await until(pilot, lambda: marks(session).features[0].note == "look again!")
        await pilot.press("space", "space", "c", *"both", "enter")
        await until(pilot, lambda: marks(session).features[1].note == "both")
        assert marks(session).features[0].note == "both"
        await pilot.press("c", "enter")
        await until(pilot, lambda: marks(session).features == {})


async def test_repeat_marks_as_the_last_time_and_goes_on(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await pilot.press("full_stop")
        assert isinstance(pilot.app.screen, ErrorDialog)
        await pilot.press("escape", "x", "full_stop", "full_stop")
        assert marks(session).rejected() == [0, 1, 2] and screen.listed.here == 3


async def test_to_the_rack_and_to_the_export(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        workspace = screen.workbench.opened()
        await pilot.press("j", "a")
        assert workspace.rack == (RackEntry(features=(1,)),) and "1 on the rack" in counts(screen)
        await pilot.press("space", "space", "a")
        assert [entry.features for entry in workspace.rack] == [(1,), (2,)]
        await pilot.press("e")
        await pilot.pause()
        assert pilot.app.current_mode == "export" and workspace.selected == {1, 2}


async def test_copy_gives_the_whole_text(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []

    async def copy(app: object, text: str) -> str:
        copied.append(text)
        return "copied somewhere"

    monkeypatch.setattr(clipboard, "copy", copy)
    async with features_of(session) as (pilot, screen):
        await until(pilot, lambda: screen.triage.sampled() == 2)
        await pilot.press("j", "y")
        await until(pilot, lambda: [notice.message for notice in pilot.app._notifications] == ["copied somewhere"])
    (text,) = copied
    for part in (
        "feature 1",
        "word1 Shared",
        "where is the swan",
        "strength 1: arr, matey!",
        "unsteered: in the lake.",
    ):
        assert part in text


async def test_reject_all_like_this_after_a_look(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await until(pilot, lambda: screen.triage.sampled() == 2)
        await pilot.press("j", "X")
        await until(pilot, lambda: pilot.app.screen is not screen)
        shown = pilot.app.screen.shown  # type: ignore[attr-defined]
        assert [row[0] for row in shown.found] == [1, 4] and shown.taken == {1, 4}
        await pilot.press("q")
        assert marks(session).features == {}
        await pilot.press("X", "j", "space", "enter")
        await until(pilot, lambda: marks(session).rejected() == [1])
        await pilot.press("u", "X", "enter")
        await until(pilot, lambda: marks(session).rejected() == [1, 4])
        await pilot.press("u")
        assert marks(session).features == {}, "one undo for all"


async def test_what_is_starred_is_not_rejected_unasked(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        await until(pilot, lambda: screen.triage.sampled() == 2)
        await pilot.press("G", "k", "s", "g", "j", "X", "enter")
        await until(pilot, lambda: marks(session).rejected() == [1])
        assert marks(session).starred() == [4]


async def test_a_full_disk_is_said_and_nothing_is_shown(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    from dct_tui.errors import DctError

    def full(*_: object, **__: object) -> None:
        raise DctError("no room", "make room")

    async with features_of(session) as (pilot, screen):
        monkeypatch.setattr("dct_tui.sessions.journal.Journal.append", full)
        await pilot.press("s")
        assert isinstance(pilot.app.screen, ErrorDialog)
        await pilot.press("escape")
        assert glyphs(screen) == "      " and screen.listed.here == 0


async def test_what_a_filter_hides_is_not_marked(session: Session) -> None:
    async with features_of(session) as (pilot, screen):
        screen.select({0, 1, 4})
        await pilot.press("slash", *"arr", "enter")
        await until(pilot, lambda: screen.triage.shown == [1, 4])
        await pilot.press("x")
        assert marks(session).rejected() == [1, 4]
        assert "1 selected but hidden by the filter" in counts(screen)
        await pilot.press("s")
        assert isinstance(pilot.app.screen, ErrorDialog) and marks(session).starred() == []
