"""Append-only files of JSON objects, one a line, that survive being cut anywhere."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from dct_tui.errors import DctError, SessionDamaged

from .atomic import write_error
from .regular import open_regular

__all__ = ["Journal", "Reading"]

_STEP = 64 * 1024


@dataclass(frozen=True)
class Reading:
    """What one look at a journal gave.

    `offset` is the byte to read on from; `notices` tell, one line each, what was there and could not be used.
    """

    records: list[dict[str, Any]]
    offset: int
    notices: list[str]


class Journal:
    """One journal file. It comes into being with the first record.

    Appends of several processes never mix: each takes the file's lock for the one write it makes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, record: Mapping[str, Any], *, durable: bool = False) -> None:
        """Add one record; with `durable` it survives a power cut once this has returned.

        A last line that an earlier writer left torn is removed first, so that the two are not glued together.

        Raises:
            DctError: the disk is full or the folder read-only (what was in the journal stays, and no part of
                this record), or the record holds what JSON cannot.
        """
        try:
            line = orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)
        except orjson.JSONEncodeError as error:
            raise DctError(f"cannot write to {self.path.name}: {error}") from error
        try:
            handle = open_regular(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                _mend(handle)
                _append(handle, line, durable)
            finally:
                os.close(handle)
        except OSError as error:
            raise write_error(error, self.path, len(line)) from error

    def read(self, near: Callable[[bytes], bool] | None = None) -> Reading:
        """Every record. A torn last line is dropped, a bad line in between skipped; each gives a notice.

        Args:
            near: whether a line is wanted at all, which costs less to find out than what stands in it.

        Raises:
            SessionDamaged: the file is there and cannot be read at all.
        """
        return self._read(0, whole=True, near=near)

    def read_from(self, offset: int, most: int | None = None) -> Reading:
        """The records finished after byte `offset` (that of an earlier reading). Cheap where there are none.

        A last line without an end is left for the next time: its writer may be at work. With `most`, about so many
        bytes are read, and at least one line.

        Raises:
            SessionDamaged: the journal is shorter than `offset`, so it is not the file that was read before.
        """
        return self._read(offset, whole=False, most=most)

    def last(self, usable: Callable[[dict[str, Any]], bool] = lambda record: True) -> dict[str, Any] | None:
        """The newest whole record that is usable, by reading the end of the file only; None where there is none."""
        try:
            with os.fdopen(open_regular(self.path), "rb") as file:
                size = file.seek(0, os.SEEK_END)
                tail = b""
                while size > 0:
                    start = max(0, size - _STEP)
                    file.seek(start)
                    tail = file.read(size - start) + tail
                    size = start
                    # The first piece may be half a line while there is more before it.
                    lines = tail.split(b"\n")
                    for line in reversed(lines if start == 0 else lines[1:]):
                        record = _object(line)
                        if record is not None and usable(record):
                            return record
                return None
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(self.path, error) from error

    def _read(
        self, offset: int, *, whole: bool, most: int | None = None, near: Callable[[bytes], bool] | None = None
    ) -> Reading:
        try:
            with os.fdopen(open_regular(self.path), "rb") as file:
                if whole:
                    # A line that is being written at this moment would look torn.
                    fcntl.flock(file, fcntl.LOCK_SH)
                if file.seek(0, os.SEEK_END) < offset:
                    raise _shorter(self.path)
                file.seek(offset)
                data = file.read() if most is None else file.read(most) + file.readline()
        except FileNotFoundError:
            if offset:
                raise _shorter(self.path) from None
            return Reading([], 0, [])
        except OSError as error:
            raise _unreadable(self.path, error) from error
        return _parse(data, offset, self.path.name, whole, near)


def _parse(data: bytes, offset: int, name: str, whole: bool, near: Callable[[bytes], bool] | None) -> Reading:
    records: list[dict[str, Any]] = []
    notices: list[str] = []
    *lines, tail = data.split(b"\n")
    at = offset
    for line in lines:
        if near is None or near(line):
            record = _object(line)
            if record is not None:
                records.append(record)
            elif line.strip():
                notices.append(f"{name}: the {len(line)} bytes at byte {at} are no record and were skipped")
        at += len(line) + 1
    if tail and whole:
        record = _object(tail)
        if record is not None:
            records.append(record)
            at += len(tail)
        else:
            notices.append(f"{name}: the last line was cut short ({len(tail)} bytes) and was dropped")
    return Reading(records, at, notices)


def _object(line: bytes) -> dict[str, Any] | None:
    if not line.startswith(b"{"):
        return None
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _mend(handle: int) -> None:
    """Make the file end with a line's end: a whole last record gets one, a torn one is cut off."""
    size = os.fstat(handle).st_size
    if size == 0 or os.pread(handle, 1, size - 1) == b"\n":
        return
    start, tail = size, b""
    while start > 0 and b"\n" not in tail:
        step = min(_STEP, start)
        start -= step
        tail = os.pread(handle, step, start) + tail
    tail = tail[tail.rfind(b"\n") + 1 :]
    if _object(tail) is not None:
        os.write(handle, b"\n")
    else:
        os.ftruncate(handle, size - len(tail))


def _append(handle: int, line: bytes, durable: bool) -> None:
    before = os.fstat(handle).st_size
    view = memoryview(line)
    try:
        while view:
            view = view[os.write(handle, view) :]
        if durable:
            os.fsync(handle)
    except OSError:
        # Some disks say that they are full only now. Who is told that it failed may write it again.
        os.ftruncate(handle, before)
        raise


def _shorter(path: Path) -> SessionDamaged:
    return SessionDamaged(f"{path.name} is shorter than when it was last read", "open the session again")


def _unreadable(path: Path, error: OSError) -> SessionDamaged:
    return SessionDamaged(f"cannot read {path}: {error.strerror or error}", "check the folder and your rights to it")
