"""The version of the session folder's layout, and the way of older folders to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dct_tui.errors import SchemaTooNew, SessionDamaged

__all__ = ["SCHEMA", "check_schema", "upgrade"]

SCHEMA = 1
"""Raised by one whenever a file of the folder gains, loses or changes a field."""

MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""For each older version, the function that turns its `session.json` into that of the next."""


def check_schema(found: object, where: str) -> int:
    """The version `found` in a file, if this program can read it.

    Raises:
        SchemaTooNew: a newer program wrote the file.
        SessionDamaged: it is no version at all.
    """
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 10:
        found = int(found)
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise SessionDamaged(f"{where}: schema should be a whole number from 1, not {str(found)[:40]!r}")
    if found > SCHEMA:
        raise SchemaTooNew(
            f"{where} was made by a newer dct-tui (schema {found}; this one reads up to {SCHEMA})",
            "upgrade: pip install -U dct-tui",
        )
    return found


def upgrade(document: dict[str, Any], where: str) -> dict[str, Any]:
    """The contents of a `session.json` in the form of `SCHEMA`. Nothing is written.

    Raises:
        SchemaTooNew, SessionDamaged: as `check_schema`.
    """
    version = check_schema(document.get("schema"), where)
    while version < SCHEMA:
        document = MIGRATIONS[version](document)
        version += 1
    return {**document, "schema": SCHEMA}
