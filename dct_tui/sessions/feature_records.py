"""`features.json`: what is known about each feature, one record each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from dct_tui.errors import SessionDamaged

from .atomic import write_atomic
from .schema import SCHEMA, check_schema

__all__ = ["read_features", "write_features"]


def read_features(path: Path) -> list[dict[str, Any]]:
    """The records in the order written; empty where there is no file.

    Raises:
        SessionDamaged: the file is not a list of records with distinct whole numbers as `index`.
        SchemaTooNew: a newer program wrote it.
    """
    try:
        document = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, orjson.JSONDecodeError) as error:
        raise _damaged(path, str(error)) from error
    found = document.get("features") if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise _damaged(path, "it should hold a list of features")
    check_schema(document.get("schema"), path.name)
    if problem := _problem(found):
        raise _damaged(path, problem)
    return found


def write_features(path: Path, features: Sequence[Mapping[str, Any]]) -> None:
    """Write all records, or none.

    Raises:
        ValueError: a record without a whole number as `index`, or two with the same.
        DctError: no room.
    """
    if problem := _problem(features):
        raise ValueError(problem)
    document = {"schema": SCHEMA, "features": [dict(feature) for feature in features]}
    write_atomic(path, orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE))


def _problem(features: Sequence[Any]) -> str:
    seen: set[int] = set()
    for place, feature in enumerate(features):
        index = feature.get("index") if isinstance(feature, Mapping) else None
        if not isinstance(index, int) or isinstance(index, bool) or index < 0:
            return f"record {place} has no whole number as index"
        if index in seen:
            return f"feature {index} is there twice"
        seen.add(index)
    return ""


def _damaged(path: Path, problem: str) -> SessionDamaged:
    return SessionDamaged(f"{path} is damaged: {problem}", "move it away and describe the features again")
