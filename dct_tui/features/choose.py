"""Naming some of many: `all`, or numbers and ranges such as `0,3,8-12`."""

from __future__ import annotations

import re

from ..errors import DctError

SHOWN = 40


def parse_indices(text: str, count: int, what: str) -> list[int]:
    """`all`, or numbers and ranges such as `0,3,8-12`; below `count`, each once.

    Raises:
        DctError: anything else.
    """
    if text.strip() == "all":
        return list(range(count))
    chosen: list[int] = []
    for piece in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,9})(?:-(\d{1,9}))?\s*", piece)
        if match is None:
            raise DctError(f"{_short(piece.strip())!r} is not a {what}", "write numbers such as 1,2 or 8-12, or all")
        first = int(match[1])
        last = int(match[2] or first)
        if last >= count or last < first:
            raise DctError(f"there is no {what} {piece.strip()}", f"choose from 0 to {count - 1}")
        chosen.extend(range(first, last + 1))
    return list(dict.fromkeys(chosen))


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
