from __future__ import annotations

import pytest

from dct_tui.errors import DctError
from dct_tui.sessions.rack import RackEntry, in_words, parse_ablate, parse_entry, parse_steer


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("12", RackEntry(features=(12,))),
        ("12:+1.5", RackEntry(features=(12,), strength=1.5)),
        ("mean( 3, 4):-.5", RackEntry(features=(3, 4), strength=-0.5)),
        ("40:u", RackEntry(features=(40,), mode="ablate output")),
        ("mean(1,2):v", RackEntry(features=(1, 2), mode="ablate input")),
    ],
)
def test_what_is_written_is_read(text: str, entry: RackEntry) -> None:
    assert parse_entry(text) == entry
    assert parse_entry(str(entry)) == entry


@pytest.mark.parametrize(
    "text", ["", "x", "1:", "1:w", "mean()", "mean(1,)", "1:nan", "1:1e999", "-1", "1,2", "9" * 99]
)
def test_what_is_none_is_said(text: str) -> None:
    with pytest.raises(DctError):
        parse_entry(text)


def test_special_ablations_are_told_apart() -> None:
    assert str(parse_ablate("1:u", "stream", (2, 3))) == "1:u (stream, layers 2,3)"
    assert str(parse_ablate("1:u")) == "1:u"


def test_only_what_is_on_is_in_force() -> None:
    off = RackEntry(features=(5,), on=False)
    assert in_words([parse_steer("1"), off, parse_ablate("2:v")]) == "1:+1 · 2:v"
    assert in_words([off]) == "no feature"


@pytest.mark.parametrize("features", [(), (4,), (-1,), (0, 9)])
def test_a_feature_that_is_not_there(features: tuple[int, ...]) -> None:
    with pytest.raises(DctError):
        RackEntry(features=features).check(4)
