"""Prompts as people keep them: on the command line, one a line in a text file, in JSON lines, in a table."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence
from pathlib import Path

import orjson

from .errors import DctError

COLUMNS = ("prompt", "text", "question", "instruction", "goal", "input")
SPLIT_FROM = 4
VALIDATION_SHARE = 0.25


def read_prompts(path: Path) -> tuple[str, ...]:
    """Reads `.txt` (one prompt a line), `.jsonl` (strings or objects) or `.csv` (with a header).

    Objects and tables give their prompts under one of `prompt`, `text`, `question`, `instruction`, `goal`, `input`.

    Raises:
        DctError: no such file, not text, no prompts in it, or a row without one.
    """
    readers = {"": _from_lines, ".txt": _from_lines, ".jsonl": _from_jsonl, ".csv": _from_csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DctError(f"prompts cannot be read from a {path.suffix} file", "give a .txt, .jsonl or .csv file")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DctError(f"there is no prompt file {path}", "check the path") from None
    except IsADirectoryError:
        raise DctError(f"{path} is a folder", "name a .txt, .jsonl or .csv file in it") from None
    except OSError as error:
        raise DctError(f"{path} cannot be read: {error.strerror}", "check the path and its permissions") from None
    except UnicodeDecodeError:
        raise DctError(f"{path} is not UTF-8 text", "save it as UTF-8") from None
    prompts = reader(text, path)
    kept = tuple(prompt for prompt in (p.strip() for p in prompts) if prompt)
    if not kept:
        raise DctError(f"there are no prompts in {path}", "write one a line")
    return kept


def gather_prompts(file: Path | None, texts: Sequence[str] | None) -> tuple[str, ...]:
    """The prompts of a file, and those given one by one. Raises as `read_prompts`."""
    return (read_prompts(file) if file else ()) + tuple(text for text in texts or () if text.strip())


def hold_out(prompts: Sequence[str], seed: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Prompts to fit on, and a quarter of them held back for validation, chosen by the seed.

    A prompt that is given twice is one prompt, on one side. Of fewer than four none is held back: the second list is
    empty, and features can only be judged on the prompts they were fitted on.
    """
    distinct = list(dict.fromkeys(prompts))
    if len(distinct) < SPLIT_FROM:
        return tuple(distinct), ()
    held = set(random.Random(seed).sample(distinct, round(len(distinct) * VALIDATION_SHARE)))
    return (
        tuple(prompt for prompt in distinct if prompt not in held),
        tuple(prompt for prompt in distinct if prompt in held),
    )


def _from_lines(text: str, path: Path) -> list[str]:
    # Not splitlines: a prompt may hold U+2028 and its like.
    return text.split("\n")


def _from_jsonl(text: str, path: Path) -> list[str]:
    return [_prompt_in(_json(line, path, number), path, number) for number, line in _numbered(text)]


def _from_csv(text: str, path: Path) -> list[str]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        return [_prompt_in(_whole(row, path, reader.line_num), path, reader.line_num) for row in reader]
    except csv.Error as error:
        raise DctError(f"{path} is not a readable table: {error}", "quote fields that hold commas or quotes") from None


def _whole(row: dict[str | None, object], path: Path, number: int) -> dict[str | None, object]:
    if None in row:
        raise DctError(f"{path}, line {number}, has more fields than the header", "quote fields that hold commas")
    return row


def _numbered(text: str) -> list[tuple[int, str]]:
    # Not splitlines: JSON strings may hold U+2028 and its like unescaped.
    return [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def _json(line: str, path: Path, number: int) -> object:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise DctError(f"{path}, line {number}, is not JSON: {error}", "write one JSON value a line") from None


def _prompt_in(value: object, path: Path, number: int) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        for column in COLUMNS:
            if isinstance(value.get(column), str):
                return str(value[column])
    raise DctError(f"{path}, line {number}, holds no prompt", f"name the field or column one of {', '.join(COLUMNS)}")
