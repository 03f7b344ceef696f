"""What commands print: JSON lines, tables, and notes on stderr."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from ..inert import columns, inert, one_line
from ..paths import sessions_root

GAP = 2
NARROWEST = 8
UNLIMITED = 10_000


def print_json(value: Any) -> None:
    """One value on one line of stdout, at once."""
    try:
        line = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    except orjson.JSONEncodeError:
        # Names of files need not be Unicode, and JSON must be.
        line = orjson.dumps(_unicode(value), option=orjson.OPT_SERIALIZE_NUMPY).decode()
    try:
        line.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        line = json.dumps(json.loads(line))  # The same value in ASCII.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """A line for the person at the terminal; stdout is left to results."""
    print(inert(text), file=sys.stderr, flush=True)


def print_table(headers: Sequence[str], rows: Sequence[Sequence[object]], spare: Sequence[str] = ()) -> None:
    """Columns as wide as they need to be; numbers on the right.

    On a terminal the widest columns give way until a line fits; where that is not enough, those in `spare` go, one by
    one. The first never does either, for it holds what to type next.
    """
    if spare and sys.stdout.isatty() and _least(headers, rows) > shutil.get_terminal_size().columns:
        at = list(headers).index(spare[0])
        fewer = [[*row[:at], *row[at + 1 :]] for row in (headers, *rows)]
        print_table([str(name) for name in fewer[0]], fewer[1:], spare[1:])
        return
    cells = [[one_line(str(cell), UNLIMITED) for cell in row] for row in rows]
    widths = [max(columns(line[i]) for line in [list(headers), *cells]) for i in range(len(headers))]
    if sys.stdout.isatty():
        widths = _fitted(widths, shutil.get_terminal_size().columns)
    numeric = [all(_is_number(row[i]) for row in cells) and bool(cells) for i in range(len(headers))]
    for line in [list(headers), *cells]:
        shown = [one_line(cell, width) for cell, width in zip(line, widths, strict=True)]
        padded = [
            " " * (width - columns(cell)) + cell if right else cell + " " * (width - columns(cell))
            for cell, width, right in zip(shown, widths, numeric, strict=True)
        ]
        print((" " * GAP).join(padded).rstrip())


def session_word(path: Path) -> str:
    """What to type for the session in a folder: its name where it lies among the others, else the path."""
    return shlex.quote(path.name if path.parent == sessions_root().absolute() else str(path))


def _unicode(value: Any) -> Any:
    """The value with U+FFFD for every character that is none, deep inside too."""
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, Mapping):
        return {_unicode(key): _unicode(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_unicode(inner) for inner in value]
    return value


def _least(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> int:
    """The columns of a line whose cells have given way as far as they do."""
    widths = [max(columns(one_line(str(line[i]), UNLIMITED)) for line in [headers, *rows]) for i in range(len(headers))]
    return widths[0] + sum(min(width, NARROWEST) for width in widths[1:]) + GAP * (len(widths) - 1)


def _fitted(widths: Sequence[int], room: int) -> list[int]:
    fitted = list(widths)
    while sum(fitted) + GAP * (len(fitted) - 1) > room:
        widest = max(range(1, len(fitted)), key=lambda i: fitted[i], default=0)
        if not widest or fitted[widest] <= NARROWEST:
            break
        fitted[widest] -= 1
    return fitted


def _is_number(cell: str) -> bool:
    try:
        float(cell.rstrip("%") or "0")
    except ValueError:
        return cell == "-"
    return True
