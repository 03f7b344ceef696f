"""Lines of JSON between an engine and whoever asks it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson

from dct_tui.errors import DctError, SessionDamaged
from dct_tui.sessions.decode import decode

from .errors import KINDS
from .messages import REQUESTS, Request

__all__ = ["LIMIT", "Asked", "Refused", "answer", "ask", "error_of", "objects", "parse", "problem"]

LIMIT = 16 * 2**20
"""The most bytes in a line."""
LONGEST_MESSAGE = 10_000


@dataclass(frozen=True)
class Asked:
    """A request with the id that its answers carry."""

    id: int
    request: Request


class Refused(DctError):  # noqa: N818
    """A line that is no request. `id` is the one it carries, None where it has none that could be read."""

    def __init__(self, message: str, id: int | None = None) -> None:
        super().__init__(message, "this program and the engine may be of different versions")
        self.id = id


def ask(id: int, request: Request) -> bytes:
    """The line of a request.

    Raises:
        DctError: a text in it is not Unicode, or it is longer than a line may be.
    """
    try:
        line = orjson.dumps({"id": id, "do": request.do, "with": request}, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError as error:
        raise DctError(f"the engine cannot be asked this: {error}", "texts have to be valid Unicode") from None
    if len(line) > LIMIT:
        raise DctError(
            f"{len(line)} bytes are too many for one request", f"send at most {LIMIT}, such as fewer prompts"
        )
    return line


def parse(line: bytes) -> Asked:
    """The request of a line. Raises Refused, which says what is wrong with it."""
    document = _object(line)
    id = document.get("id")
    if not isinstance(id, int) or isinstance(id, bool):
        raise Refused(f"a request needs an id that is a whole number, not {id!r:.40}")
    name = document.get("do")
    if not isinstance(name, str) or name not in REQUESTS:
        raise Refused(f"there is no request {name!r:.40}", id)
    if unknown := document.keys() - {"id", "do", "with"}:
        raise Refused(f"a request has no {min(unknown)!r:.40}", id)
    try:
        return Asked(id, decode(REQUESTS[name], document.get("with", {}), name))
    except SessionDamaged as error:
        raise Refused(error.message, id) from None


def answer(id: int | None, kind: str, value: object) -> bytes:
    """The line of an answer; `kind` is `event`, `result` or `error`.

    Raises:
        DctError: it holds what JSON cannot, or is longer than a line may be.
    """
    try:
        line = orjson.dumps(
            {"id": id, kind: value}, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY, default=str
        )
    except orjson.JSONEncodeError as error:
        raise DctError(f"the engine's answer cannot be sent: {error}", "its log says more") from None
    if len(line) > LIMIT:
        raise DctError(f"the engine's answer has {len(line)} bytes, too many for one line", "ask for less at once")
    return line


def problem(error: BaseException) -> dict[str, str]:
    """An error as it is sent. Of one that no one foresaw the log has the rest."""
    if isinstance(error, DctError):
        kind = type(error).__name__
        return {
            "message": _sendable(error.message),
            "hint": _sendable(error.hint),
            "kind": kind if kind in KINDS else DctError.__name__,
        }
    first = (str(error).strip().splitlines() or [""])[0]
    words = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return {"message": _sendable(f"the engine failed: {words}"), "hint": "its log says more", "kind": DctError.__name__}


def _sendable(text: str) -> str:
    """Names of files may hold bytes that are no Unicode; errors speak of them, and are not as long as a line."""
    return text[:LONGEST_MESSAGE].encode(errors="backslashreplace").decode()


def error_of(sent: dict[str, Any]) -> DctError:
    """The error that was sent."""
    kind = KINDS.get(str(sent.get("kind")), DctError)
    return kind(str(sent.get("message", "the engine failed")), str(sent.get("hint", "")))


async def objects(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """The next line of an engine as an object; None at the end.

    Raises:
        DctError: it is no object, or longer than a line may be.
    """
    try:
        line = await reader.readline()
    except ValueError:
        raise DctError("the engine sent a line that is too long") from None
    return _object(line) if line.endswith(b"\n") else None


def _object(line: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Refused(f"a line is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise Refused("a line holds no object")
    return document
