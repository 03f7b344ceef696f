"""Chats: every message, cut and change of settings as an event, so that nothing that was said is overwritten."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, TypeAlias

import orjson

from dct_tui.errors import DctError, SessionDamaged

from .decode import decode
from .journal import Journal
from .rack import RackEntry, parse_entry
from .record import now
from .session import Session

__all__ = ["ChatLog", "ChatMessage", "ChatSettings", "ChatSummary", "Conversation", "list_chats", "new_chat_name"]

Role: TypeAlias = Literal["user", "assistant"]

_OLD_ABLATION = re.compile(r"(?P<what>[^ ]+) \((?P<kind>writes|stream), (?:all layers|layers (?P<layers>[\d,]+))\)")


@dataclass(frozen=True, kw_only=True)
class ChatSettings:
    """How the replies of a chat are drawn.

    Attributes:
        system: system prompt; None the session's, empty none.
        temperature: 0 is greedy.
        compare: whether the unsteered model answers too.
    """

    system: str | None = None
    max_new_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    compare: bool = False


@dataclass(frozen=True, kw_only=True)
class ChatMessage:
    """One message. All from `rack` on is of replies only.

    Attributes:
        at: when it was sent or finished; UTC, ISO 8601. Empty in old records.
        rack: what was in force.
        settings: how it was drawn; `system` is the prompt that was given.
        ended: whether the model ended it by itself, rather than being cut at the limit or stopped.
        stopped: whether a person stopped it.
        unsteered: what the model said without the rack, where that was asked for.
    """

    role: Role
    content: str
    at: str = ""
    rack: tuple[RackEntry, ...] = ()
    settings: ChatSettings = field(default_factory=ChatSettings)
    ended: bool = True
    stopped: bool = False
    unsteered: str | None = None
    unsteered_ended: bool = True


class Conversation:
    """What the events of a chat lead to.

    Attributes:
        messages: those that stand.
        settings: the last that were chosen, else those of the last reply.
        cut_away: what was cut off, in order, each time with all that followed.
    """

    def __init__(self, events: Iterable[Mapping[str, Any]] = ()) -> None:
        self.messages: list[ChatMessage] = []
        self.settings = ChatSettings()
        self.cut_away: list[list[ChatMessage]] = []
        for event in events:
            self.apply(event)

    def apply(self, event: Mapping[str, Any]) -> None:
        """Takes one more event in; one that cannot be read changes nothing."""
        try:
            if "role" in event:
                message = decode(ChatMessage, _renewed(event), "chat")
                self.messages.append(message)
            elif "settings" in event:
                self.settings = decode(ChatSettings, event["settings"], "chat")
            elif isinstance(keep := event.get("keep"), int) and 0 <= keep < len(self.messages):
                self.cut_away.append(self.messages[keep:])
                del self.messages[keep:]
        except SessionDamaged:
            return

    @property
    def unanswered(self) -> bool:
        """Whether the last message waits for a reply."""
        return bool(self.messages) and self.messages[-1].role == "user"

    def history(self) -> list[dict[str, str]]:
        """What the model is given, of the steered side; messages of one side in a row are joined.

        Many chat templates refuse two messages of one role in a row, as come of a message that got no reply.
        """
        joined: list[dict[str, str]] = []
        for message in self.messages:
            if joined and joined[-1]["role"] == message.role:
                joined[-1]["content"] += f"\n\n{message.content}"
            else:
                joined.append({"role": message.role, "content": message.content})
        return joined


class ChatLog:
    """A chat and its journal, if it has one: what is said is durable before the call returns.

    Whoever writes holds `session.writing("chats")`.

    Attributes:
        conversation: as far as it was read or written here.
    """

    def __init__(self, journal: Journal | None = None) -> None:
        """Reads the journal. Raises SessionDamaged where it cannot be read at all."""
        self.journal = journal
        reading = journal.read() if journal is not None else None
        self.conversation = Conversation(reading.records if reading else ())
        self._offset = reading.offset if reading else 0

    def poll(self) -> bool:
        """Takes in what others have written since; whether there was anything.

        Raises:
            SessionDamaged: the journal is not the file any more that was read.
        """
        if self.journal is None:
            return False
        reading = self.journal.read_from(self._offset)
        self._offset = reading.offset
        for event in reading.records:
            self.conversation.apply(event)
        return bool(reading.records)

    def say(self, text: str) -> None:
        """A person's message."""
        self._write({"role": "user", "content": text, "at": now()})

    def answer(self, reply: ChatMessage) -> None:
        """A reply."""
        self._write(asdict(reply))

    def cut(self, keep: int) -> None:
        """Only the first `keep` messages stand from here on."""
        self._write({"keep": keep, "at": now()})

    def choose(self, settings: ChatSettings) -> None:
        """From here on, replies are drawn so."""
        self._write({"settings": asdict(settings), "at": now()})

    def _write(self, event: Mapping[str, Any]) -> None:
        if self.journal is None:
            self.conversation.apply(_plain(event))
        else:
            self.journal.append(event, durable=True)
            self.poll()


@dataclass(frozen=True)
class ChatSummary:
    """A kept chat: its name, its first message, how many messages a person sent, and when the last came (UTC).

    `problem` says why it cannot be read, in which case the others are empty.
    """

    name: str
    first: str = ""
    turns: int = 0
    at: str = ""
    problem: str = ""


def list_chats(session: Session) -> list[ChatSummary]:
    """The chats of a session, the newest first; last those that cannot be read."""
    found = []
    for name in session.chat_names():
        try:
            messages = Conversation(session.chat(name).read().records).messages
        except DctError as error:
            found.append(ChatSummary(name, problem=str(error)))
            continue
        said = [message.content for message in messages if message.role == "user"]
        at = max((message.at for message in messages), default="")
        found.append(ChatSummary(name, said[0] if said else "", len(said), at))
    return sorted(found, key=lambda chat: (chat.at, chat.name), reverse=True)


def new_chat_name(session: Session) -> str:
    """A name that no chat of the session has: `chat-1`, `chat-2` …"""
    taken = set(session.chat_names())
    return next(name for number in range(1, len(taken) + 2) if (name := f"chat-{number}") not in taken)


def _renewed(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event as it is written now; older ones had the rack in words, and of the settings the seed alone."""
    renewed = dict(event)
    if "setting" not in renewed:
        return renewed
    words, seed = renewed.pop("setting"), renewed.pop("seed", 0)
    entries = [_old_entry(str(word)) for word in words] if isinstance(words, list) else []
    renewed["rack"] = _plain([entry for entry in entries if entry])
    renewed["settings"] = {"seed": seed}
    return renewed


def _old_entry(word: str) -> RackEntry | None:
    match = _OLD_ABLATION.fullmatch(word)
    try:
        if match is None:
            return parse_entry(word)
        layers = tuple(int(layer) for layer in match["layers"].split(",")) if match["layers"] else None
        return replace(
            parse_entry(match["what"]), kind="stream" if match["kind"] == "stream" else "writes", layers=layers
        )
    except (DctError, ValueError):
        return None


def _plain(value: object) -> Any:
    """As it is once it was written and read."""
    return orjson.loads(orjson.dumps(value))
