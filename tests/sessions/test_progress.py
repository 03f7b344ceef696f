"""Lines of the journal of a fit: what they can mean, and what is no line of a fit."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as some

from dct_tui.sessions import Session, SessionRecord
from dct_tui.sessions.listing import session_summary
from dct_tui.sessions.progress import Entry, Note, read_progress

FIGURES = (
    "iteration", "objective", "change", "settled", "seconds", "rows", "rows_per_second", "memory", "done", "of",
    "expected", "besides",
)  # fmt: skip
HOSTILE = (
    b"true", b"null", b"{}", b"[1]", b'"3"', b'"nan"', b"NaN", b"1e400", b"-1", b"-1e308", b"1e308", b"5e-324", b"0",
    b"0.5", b"3", b"18446744073709551615", b"9" * 400,
)  # fmt: skip
"""JSON values, or what stands in their place in a file that someone else has written."""


def line_of(values: dict[str, bytes], stage: bytes | None = None) -> bytes:
    pairs = [*values.items(), *([("stage", stage)] if stage is not None else [])]
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), value) for name, value in pairs) + b"}"


hostile_lines = some.builds(
    line_of,
    some.dictionaries(some.sampled_from(FIGURES), some.sampled_from(HOSTILE)),
    some.none() | some.sampled_from([b'"fit"', b'"begin"', b'"end"', b'"describe"', b'"\\u001b[2J"', *HOSTILE]),
)


@given(hostile_lines)
def test_a_line_is_refused_or_all_its_figures_can_be_reckoned_with(line: bytes) -> None:
    try:
        record = orjson.loads(line)
        told = read_progress(record, 10)
    except ValueError:
        return
    figures = [value for value in asdict(told).values() if isinstance(value, int | float)]
    assert all(math.isfinite(value * value) for value in figures)
    assert 0 <= told.iteration <= 10
    if isinstance(told, Note):
        assert 0 <= told.share <= 1
    else:
        assert told.iteration and (told.settled is None or 0 <= told.settled <= 1)


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"iteration": 0},
        {"iteration": 11},
        {"iteration": 2.0},
        {"iteration": 1, "objective": "much"},
        {"iteration": 1, "seconds": -1},
        {"iteration": 1, "settled": 1.5},
        {"stage": 3},
        {"stage": "fit", "done": -1},
    ],
)
def test_what_no_fit_writes_is_refused(record: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_progress(record, 10)


def test_what_is_not_told_is_none() -> None:
    assert read_progress({"iteration": 1, "objective": None}, 10) == Entry(1)
    assert read_progress({"iteration": 1, "rows": 8, "seconds": 2.0}, 10) == Entry(1, seconds=2.0, rows_per_second=4.0)
    assert read_progress({"stage": "of a later version"}, 10) == Note("of a later version")


def test_a_list_goes_by_the_last_line_that_can_be_read(tmp_path: Path, record: SessionRecord) -> None:
    session = Session.create(tmp_path / "one", record)
    session.progress.append({"iteration": 1})
    session.progress.append({"iteration": 2, "stage": "end", "besides": 3.0})
    for line in (b"torn", b'{"iteration":1e400}', *(line_of({"iteration": value}) for value in HOSTILE[:9])):
        with session.progress.path.open("ab") as file:
            file.write(line + b"\n")
    assert session_summary(session.path).iteration == 2
