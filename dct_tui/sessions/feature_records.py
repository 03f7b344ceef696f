"""`features.json`: what is known about each feature, one record each."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import orjson

from dct_tui.errors import SessionDamaged

from .atomic import write_atomic
from .regular import read_regular
from .schema import SCHEMA, check_schema

__all__ = ["read_features", "write_features"]


def _whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _measured(value: object) -> bool:
    # JSON has no other word for what came out not finite.
    return value is None or _number(value)


def _words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _neighbours(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and _whole(pair[0]) and _number(pair[1]) for pair in value
    )


_FIELDS: dict[str, Callable[[object], bool]] = {
    "rank": _whole,
    "alpha": _number,
    "norm": _measured,
    "kl": _measured,
    "words": _words,
    "neighbours": _neighbours,
}


def read_features(path: Path, count: int) -> list[dict[str, Any]]:
    """The records of some of `count` features in the order written; empty where there is no file.

    A record has an `index` of its own below `count`, `rank`, `alpha`, `norm` and `kl` (None where they are not
    finite), `words`, and `neighbours` as pairs of index and cosine.

    Raises:
        SessionDamaged: the file is anything else.
        SchemaTooNew: a newer program wrote it.
    """
    try:
        document = orjson.loads(read_regular(path))
    except FileNotFoundError:
        return []
    except (OSError, orjson.JSONDecodeError) as error:
        raise _damaged(path, str(error)) from error
    found = document.get("features") if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise _damaged(path, "it should hold a list of features")
    check_schema(document.get("schema"), path.name)
    if problem := _problem(found) or _odd_field(found, count):
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
        if not _whole(index) or index < 0:
            return f"record {place} has no whole number as index"
        if index in seen:
            return f"feature {index} is there twice"
        seen.add(index)
    return ""


def _odd_field(features: Sequence[Mapping[str, Any]], count: int) -> str:
    for feature in features:
        if feature["index"] >= count:
            return f"there is a feature {feature['index']}, and the fit has {count}"
        for name, right in _FIELDS.items():
            if name not in feature or not right(feature[name]):
                return f"feature {feature['index']} has no {name} that can be read"
    return ""


def _damaged(path: Path, problem: str) -> SessionDamaged:
    return SessionDamaged(f"{path} is damaged: {problem}", "move it away and describe the features again")
