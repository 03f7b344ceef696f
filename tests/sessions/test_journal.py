from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from dct_tui.errors import DctError, SessionDamaged
from dct_tui.sessions import Journal

RECORDS = [{"n": 0, "text": "plain"}, {"n": 1, "text": "two\nlines ü 漢"}, {"n": 2, "nested": {"a": [1, None]}}]

APPENDER = """
import sys
from pathlib import Path
from dct_tui.sessions import Journal
journal, who = Journal(Path(sys.argv[1])), sys.argv[2]
for n in range(int(sys.argv[3])):
    journal.append({"who": who, "n": n, "text": "x" * (n % 5000)}, durable=n % 50 == 0)
    print(n, flush=True)
"""


def fill(path: Path) -> Journal:
    journal = Journal(path)
    for record in RECORDS:
        journal.append(record, durable=True)
    return journal


def test_round_trip(tmp_path: Path) -> None:
    journal = fill(tmp_path / "j.jsonl")
    reading = journal.read()
    assert reading.records == RECORDS
    assert reading.notices == []
    assert reading.offset == (tmp_path / "j.jsonl").stat().st_size
    assert journal.last() == RECORDS[-1]


def test_no_file_is_an_empty_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.jsonl")
    assert journal.read().records == []
    assert journal.read_from(0).records == []
    assert journal.last() is None


def test_cut_at_every_byte(tmp_path: Path) -> None:
    whole = fill(tmp_path / "whole.jsonl").path.read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    journal = Journal(tmp_path / "cut.jsonl")
    for cut in range(len(whole) + 1):
        journal.path.write_bytes(whole[:cut])
        # A record is there once all of it but the line's end is.
        expected = RECORDS[: sum(end - 1 <= cut for end in ends)]
        torn = cut not in ends and cut + 1 not in ends and cut > 0
        reading = journal.read()
        assert reading.records == expected, cut
        assert len(reading.notices) == torn, cut
        assert journal.last() == (expected[-1] if expected else None), cut

        journal.append({"n": "after"})
        mended = journal.read()
        assert mended.records == [*expected, {"n": "after"}], cut
        assert mended.notices == [], cut
        assert journal.read_from(reading.offset).records == [{"n": "after"}], cut


def test_a_bad_line_in_the_middle_is_reported_and_skipped(tmp_path: Path) -> None:
    journal = fill(tmp_path / "j.jsonl")
    lines = journal.path.read_bytes().splitlines(keepends=True)
    for bad in (b"\x00\xff garbage\n", b'{"n": 1\n', b"[1, 2]\n", b"17\n"):
        journal.path.write_bytes(lines[0] + bad + lines[1] + lines[2])
        reading = journal.read()
        assert reading.records == RECORDS
        assert len(reading.notices) == 1
        assert f"at byte {len(lines[0])}" in reading.notices[0]


def test_tailing_waits_for_the_end_of_a_line(tmp_path: Path) -> None:
    journal = fill(tmp_path / "j.jsonl")
    offset = journal.read().offset
    assert journal.read_from(offset).records == []
    with journal.path.open("ab") as file:
        file.write(b'{"n": 3}\n{"n": ')
    reading = journal.read_from(offset)
    assert (reading.records, reading.notices) == ([{"n": 3}], [])
    with journal.path.open("ab") as file:
        file.write(b"4}\n")
    assert journal.read_from(reading.offset).records == [{"n": 4}]


def test_a_journal_that_got_shorter_is_reported(tmp_path: Path) -> None:
    journal = fill(tmp_path / "j.jsonl")
    offset = journal.read().offset
    os.truncate(journal.path, 5)
    with pytest.raises(SessionDamaged, match="shorter"):
        journal.read_from(offset)


def test_last_reads_over_long_lines(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.jsonl")
    journal.append({"n": 1, "text": "y" * 200_000})
    assert (journal.last() or {})["n"] == 1
    with journal.path.open("ab") as file:
        file.write(b'{"n": 2, "text": "' + b"z" * 100_000)
    assert (journal.last() or {})["n"] == 1


def test_a_full_disk_leaves_no_part_of_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = fill(tmp_path / "marks.jsonl")
    before = journal.path.read_bytes()
    real, calls = os.write, iter((5, 0))

    def fills_up(handle: int, data: bytes) -> int:
        room = next(calls)
        if not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(handle, bytes(data)[:room])

    monkeypatch.setattr(os, "write", fills_up)
    with pytest.raises(DctError, match=r"no room to write marks\.jsonl"):
        journal.append({"n": 3})
    monkeypatch.undo()
    assert journal.path.read_bytes() == before
    journal.append({"n": 4})
    assert journal.read().records == [*RECORDS, {"n": 4}]


def test_a_durable_append_that_cannot_be_made_durable_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    journal = fill(tmp_path / "j.jsonl")
    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(DctError, match="Input/output error"):
        journal.append({"n": 1}, durable=True)
    # Whoever is told that it failed has not marked anything, and may do so again.
    assert journal.read().records == RECORDS


def test_what_json_cannot_hold_is_refused_and_nothing_written(tmp_path: Path) -> None:
    journal = fill(tmp_path / "j.jsonl")
    before = journal.path.read_bytes()
    with pytest.raises(DctError):
        journal.append({"text": "\ud800"})
    assert journal.path.read_bytes() == before


def test_a_link_in_place_of_the_journal_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    (tmp_path / "j.jsonl").symlink_to(outside)
    with pytest.raises(DctError):
        Journal(tmp_path / "j.jsonl").append({"n": 1})
    assert outside.read_bytes() == b"precious"


def test_two_processes_do_not_mix_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    command = [sys.executable, "-c", APPENDER, str(path)]
    writers = [subprocess.Popen([*command, who, "300"], stdout=subprocess.DEVNULL) for who in "ab"]
    assert [writer.wait() for writer in writers] == [0, 0]
    reading = Journal(path).read()
    assert reading.notices == []
    for who in "ab":
        assert [r["n"] for r in reading.records if r["who"] == who] == list(range(300))


def test_killed_while_appending_loses_nothing_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    for who, lines in (("a", 1), ("b", 40), ("c", 90)):
        command = [sys.executable, "-c", APPENDER, str(path), who, "100000"]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        with writer.stdout:
            for _ in range(lines):
                writer.stdout.readline()
            writer.send_signal(signal.SIGKILL)
            acknowledged = max([lines - 1, *map(int, writer.stdout.read().split())])
        writer.wait()
        numbers = [r["n"] for r in Journal(path).read().records if r["who"] == who]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= acknowledged + 1
    assert orjson.loads(path.read_bytes().splitlines()[0])["who"] == "a"


def test_a_folder_instead(tmp_path: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    for read in (Journal(tmp_path).read, lambda: Journal(tmp_path).read_from(0), Journal(tmp_path).last):
        with pytest.raises(SessionDamaged, match="no plain file"):
            read()
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_long_journal_is_read_in_pieces(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.jsonl")
    records = [{"n": number, "text": "x" * (number % 7) * 100} for number in range(50)]
    for record in records:
        journal.append(record)
    with journal.path.open("ab") as file:
        file.write(b'{"torn')
    offset, found = 0, []
    while (reading := journal.read_from(offset, most=300)).records:
        assert reading.offset - offset < 300 + 1000
        offset = reading.offset
        found += reading.records
    assert found == records
    assert len(journal.read_from(0, most=1).records) == 1, "one line at least"
