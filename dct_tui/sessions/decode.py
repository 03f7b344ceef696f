"""JSON objects into frozen dataclasses, strictly: an error names the field and what it should have been."""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from dct_tui.errors import SessionDamaged

__all__ = ["decode", "decode_all"]

T = TypeVar("T")
Check = Callable[[Any, str], Any]


def decode(cls: type[T], document: object, where: str) -> T:
    """An instance of the dataclass `cls` from what JSON gave; `where` begins the name of a field in an error.

    Understands bool, int, float (finite; a whole number too), str, None, Literal, `X | None`, tuple[X, ...],
    dict[str, Any] and dataclasses of these. Every field must be there unless it has a default, and no other.

    Raises:
        SessionDamaged: a field is missing, unknown or of another kind.
    """
    if not isinstance(document, dict):
        raise _wrong(where, "an object", document)
    checks = _checks(typing.cast("Any", cls))  # mypy takes type[T] for unhashable
    if unknown := document.keys() - checks.keys():
        raise SessionDamaged(f"{where}: unknown field {min(unknown)!r}")
    values = {}
    for name, (check, required) in checks.items():
        if name in document:
            values[name] = check(document[name], f"{where}: {name}")
        elif required:
            raise SessionDamaged(f"{where}: the field {name!r} is missing")
    try:
        return cls(**values)
    except ValueError as error:
        raise SessionDamaged(f"{where}: {error}") from error


def decode_all(cls: type[T], documents: Iterable[object], where: str) -> tuple[list[T], list[str]]:
    """An instance for each good document, and a notice of one line for each that is skipped."""
    values: list[T] = []
    notices: list[str] = []
    for document in documents:
        try:
            values.append(decode(cls, document, where))
        except SessionDamaged as error:
            notices.append(f"skipped a record, {error.message}")
    return values, notices


@functools.cache
def _checks(cls: Any) -> dict[str, tuple[Check, bool]]:
    hints = typing.get_type_hints(cls)
    return {
        field.name: (
            _check_for(hints[field.name]),
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
        )
        for field in dataclasses.fields(cls)
    }


def _check_for(hint: Any) -> Check:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return functools.partial(_choice, arguments)
    if origin in (types.UnionType, typing.Union):
        return functools.partial(_optional, _check_for(next(a for a in arguments if a is not types.NoneType)))
    if origin is tuple:
        return functools.partial(_list, _check_for(arguments[0]))
    if origin is dict:
        return functools.partial(_kind, dict, "an object")
    if dataclasses.is_dataclass(hint):
        return functools.partial(decode, typing.cast("type[Any]", hint))
    simple: dict[Any, Check] = {
        str: functools.partial(_kind, str, "text"),
        bool: functools.partial(_kind, bool, "true or false"),
        int: _integer,
        float: _number,
    }
    return simple[hint]


def _kind(kind: type, name: str, value: Any, where: str) -> Any:
    if not isinstance(value, kind):
        raise _wrong(where, name, value)
    return value


def _integer(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(where, "a whole number", value)
    return value


def _number(value: Any, where: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise _wrong(where, "a finite number", value)
    return float(value)


def _choice(choices: tuple[str, ...], value: Any, where: str) -> Any:
    if not isinstance(value, str) or value not in choices:
        raise _wrong(where, "one of " + ", ".join(choices), value)
    return value


def _optional(check: Check, value: Any, where: str) -> Any:
    return None if value is None else check(value, where)


def _list(check: Check, value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _wrong(where, "a list", value)
    return tuple(check(item, f"{where}[{index}]") for index, item in enumerate(value))


def _wrong(where: str, expected: str, value: object) -> SessionDamaged:
    shown = repr(value)
    return SessionDamaged(f"{where} should be {expected}, not {shown if len(shown) <= 40 else shown[:40] + '…'}")
