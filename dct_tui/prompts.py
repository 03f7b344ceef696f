"""Prompts as people keep them: on the command line, one a line in a text file, in JSON lines, in a table."""

from __future__ import annotations

import csv
import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from .errors import DctError

COLUMNS = ("prompt", "text", "question", "instruction", "goal", "input")
SPLIT_FROM = 4
VALIDATION_SHARE = 0.25


@dataclass(frozen=True)
class PromptSet:
    """The prompts of a session.

    Attributes:
        fit: what the transcoder is fitted on.
        validation: what features are judged on. Empty where there were too few prompts to hold any back.
        system: system prompt, or None.
    """

    fit: tuple[str, ...]
    validation: tuple[str, ...] = ()
    system: str | None = None

    @property
    def judged(self) -> tuple[str, ...]:
        """The prompts on which features are judged: held out where there are such, else the fitted ones."""
        return self.validation or self.fit


def read_prompts(path: Path) -> tuple[str, ...]:
    """Reads `.txt` (one prompt a line), `.jsonl` (strings or objects) or `.csv` (with a header).

    Objects and tables give their prompts under one of `prompt`, `text`, `question`, `instruction`, `goal`, `input`.

    Raises:
        DctError: no such file, not text, no prompts in it, or a row without one.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DctError(f"there is no prompt file {path}", "check the path, or give prompts with --prompt") from None
    except IsADirectoryError:
        raise DctError(f"{path} is a folder", "name a .txt, .jsonl or .csv file in it") from None
    except OSError as error:
        raise DctError(f"{path} cannot be read: {error.strerror}", "check the path and its permissions") from None
    except UnicodeDecodeError:
        raise DctError(f"{path} is not UTF-8 text", "save it as UTF-8") from None
    readers = {".jsonl": _from_jsonl, ".csv": _from_csv}
    prompts = readers.get(path.suffix.lower(), _from_lines)(text, path)
    kept = tuple(prompt for prompt in (p.strip() for p in prompts) if prompt)
    if not kept:
        raise DctError(f"there are no prompts in {path}", "write one a line, or give prompts with --prompt")
    return kept


def hold_out(prompts: Sequence[str], seed: int, system: str | None = None) -> PromptSet:
    """Holds a quarter of the prompts back for validation, chosen by the seed; none where there are under four."""
    if len(prompts) < SPLIT_FROM:
        return PromptSet(tuple(prompts), (), system)
    held = set(random.Random(seed).sample(range(len(prompts)), max(1, round(len(prompts) * VALIDATION_SHARE))))
    return PromptSet(
        tuple(p for i, p in enumerate(prompts) if i not in held),
        tuple(p for i, p in enumerate(prompts) if i in held),
        system,
    )


def prompt_set(
    prompts: Sequence[str], validation: Sequence[str] | None = None, *, seed: int = 0, system: str | None = None
) -> PromptSet:
    """The prompts of a fit: with validation prompts as given, else with a recorded split of what there is.

    Raises:
        DctError: no prompts.
    """
    if not any(prompt.strip() for prompt in prompts):
        raise DctError("there are no prompts", "give some with --prompts FILE or --prompt TEXT")
    if validation:
        return PromptSet(tuple(prompts), tuple(validation), system)
    return replace(hold_out(prompts, seed), system=system)


def fingerprint(prompts: Sequence[str]) -> str:
    """The sha256 of a list of prompts."""
    return hashlib.sha256(orjson.dumps(list(prompts))).hexdigest()


def _from_lines(text: str, path: Path) -> list[str]:
    return text.splitlines()


def _from_jsonl(text: str, path: Path) -> list[str]:
    return [_prompt_in(_json(line, path, number), path, number) for number, line in _numbered(text)]


def _from_csv(text: str, path: Path) -> list[str]:
    try:
        rows = list(csv.DictReader(text.splitlines(keepends=True), strict=True))
    except csv.Error as error:
        raise DctError(f"{path} is not a readable table: {error}", "quote fields that hold commas or quotes") from None
    return [_prompt_in(row, path, number) for number, row in enumerate(rows, 2)]


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
