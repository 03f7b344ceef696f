"""What home knows of sessions: read in slices, in an order that keeps still, found by words."""

from __future__ import annotations

import os

from dct_tui.screens.session_index import SessionIndex
from tests.screens.conftest import MakeSession


def test_many_sessions_are_read_in_slices(make_session: MakeSession) -> None:
    paths = [make_session(f"session-{number:02}").path for number in range(12)]
    index = SessionIndex()
    index.gather()
    slices = [index.look(seconds=0) for _ in range(12)]
    assert [len(seen) for seen in slices] == [1] * 12
    assert {path for seen in slices for path in seen} == set(paths) and not index.unread
    assert index.look(seconds=60) == []


def test_last_used_first_and_they_stay_where_they_are(make_session: MakeSession) -> None:
    sessions = [make_session(name) for name in ("a", "b", "c")]
    for age, session in enumerate(sessions):
        os.utime(session.path / "session.json", (1_700_000_000 - age, 1_700_000_000 - age))
    index = SessionIndex()
    index.gather()
    assert [path.name for path in index.folders] == ["a", "b", "c"]
    sessions[2].progress.append({"iteration": 1})
    index.look(seconds=60)
    assert [path.name for path in index.folders] == ["a", "b", "c"]
    index.gather()
    assert [path.name for path in index.folders] == ["c", "a", "b"]


def test_words_and_patterns_choose_sessions(make_session: MakeSession) -> None:
    for name in ("pirate-a", "pirate-b", "swan-a"):
        make_session(name)
    index = SessionIndex()
    index.gather()
    index.look(seconds=60)

    def found(text: str) -> set[str]:
        return {path.name for path in index.found(text)}

    assert found("") == {"pirate-a", "pirate-b", "swan-a"}
    assert found("pirate") == found("PIRATE") == found("^pir") == {"pirate-a", "pirate-b"}
    assert found("pirate !pirate-b") == {"pirate-a"}
    assert found("!pirate") == {"swan-a"}
    assert found("pir|swan-a") == {"pirate-a", "pirate-b", "swan-a"}
    assert found("(((") == set(), "what is no pattern is looked for as it stands"


def test_a_pattern_that_would_search_for_years_is_looked_for_as_it_stands(make_session: MakeSession) -> None:
    make_session("a" * 60)
    make_session("(a+)+$")
    index = SessionIndex()
    index.gather()
    index.look(seconds=60)
    assert [path.name for path in index.found("(a+)+$")] == ["(a+)+$"]
    assert index.found("(a+)+$!") == []
