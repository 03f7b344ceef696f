"""What the chat screen says: its transcript, what it waits for, and features as they are typed."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from dct_tui.engine.answers import EngineState
from dct_tui.errors import DctError
from dct_tui.features.texts import repeats_itself
from dct_tui.inert import one_line
from dct_tui.sessions.chats import ChatMessage, ChatSettings
from dct_tui.sessions.rack import RackEntry, in_words, parse_entry

from .chat_talk import Talk
from .keymap import key_of, with_keys
from .widgets.transcript_blocks import Block, Note, Replied, Said, Span

EMPTY = """\
Write a message below; {message.send} sends it.

Beside it stands the rack: features that are added to the model while it replies, or ablated from it. \
{chat.rack} goes there and back. {rack.add} adds a feature by its number, {rack.up} and {rack.down} change its \
strength, {rack.toggle} switches it off and on.

{chat.compare} has the model answer without the rack too, beside. {message.up} in an empty box edits the last \
message, {chat.again} answers it anew."""
TOO_STRONG = "! too strong? {rack.down} on the rack ({chat.rack}) lowers the strength; then {chat.again}"
AWAY = "… a reply is being written elsewhere; it will stand here once it is finished"
WORDS = re.compile(r"(?:[^\s(]|\([^)]*\))+")


def blocks_of(talk: Talk, away: bool) -> list[Block]:
    """The transcript of a chat as it stands; `away` says whether a reply is made that was not asked for here."""
    messages = talk.messages
    if not messages:
        return [Note(with_keys(EMPTY))]
    blocks: list[Block] = []
    before: str | None = None
    shared = False
    for place, message in enumerate(messages):
        if message.role == "user":
            blocks.append(Said(message.content))
            continue
        setting = in_words(message.rack)
        notes = _notes(message, last=place == len(messages) - 1)
        changed = before is not None and setting != before
        title = setting + _drawn(message.settings)
        blocks.append(Replied(title, message.content, message.unsteered, changed=changed, notes=notes, shared=shared))
        before = setting
        shared = shared or any(entry.on for entry in message.rack)
    if talk.live is not None:
        changed = before is not None and talk.rack != before
        title, texts = talk.rack + _drawn(talk.settings), talk.live
        live = Replied(title, texts["steered"], texts.get("unsteered"), changed=changed, shared=shared)
        blocks.append(live)
    elif talk.unanswered:
        blocks.append(_without_reply(talk, away))
    return blocks


def _notes(message: ChatMessage, *, last: bool) -> list[Span]:
    notes: list[Span] = []
    if message.stopped:
        notes.append(("■ stopped", "dim"))
    elif not message.ended:
        notes.append((f"… cut off at {message.settings.max_new_tokens} tokens", "dim"))
    if last and runs_wild(message):
        notes.append((with_keys(TOO_STRONG), "warn"))
    return notes


def runs_wild(message: ChatMessage) -> bool:
    """Whether a steered reply repeats itself, or runs on where the unsteered one ended."""
    steered = any(entry.mode == "steer" and entry.strength for entry in message.rack)
    runs_on = not message.ended and not message.stopped and message.unsteered is not None and message.unsteered_ended
    return steered and (repeats_itself(message.content) or runs_on)


def _without_reply(talk: Talk, away: bool) -> Note:
    if away:
        return Note(AWAY)
    if talk.problem is None:
        return Note(with_keys("✗ no reply was made: {chat.again} asks again"), "warn")
    hint = f" → {talk.problem.hint}" if talk.problem.hint else ""
    return Note(f"✗ no reply: {talk.problem.message}{hint}\n{key_of('chat.again')} asks again", "bad")


def _drawn(settings: ChatSettings) -> str:
    return f" (seed {settings.seed})" if settings.temperature else ""


def next_words(rack: Sequence[RackEntry], bypassed: bool, settings: ChatSettings) -> str:
    """What the next reply will be under, and how it is drawn."""
    parts = ["rack bypassed" if bypassed else in_words(rack)]
    if settings.compare:
        parts.append("beside unsteered")
    if settings.temperature:
        parts.append(f"temperature {settings.temperature:g}, seed {settings.seed}")
    if settings.system is not None:
        parts.append("own system prompt" if settings.system else "no system prompt")
    return " — ".join(parts)


def waiting_words(talk: Talk, state: EngineState | None, *, answers: bool = True) -> str:
    """What is done, or waited for, before the first word is there and after; `answers`: whether the engine does."""
    if talk.live is None:
        return ""
    if not answers:
        return "the engine does not answer…"
    if talk.stopping:
        return "stopping…"
    if any(talk.live.values()):
        return with_keys("writing: {chat.stop} stops")
    if state is None:
        return "starting an engine…"
    if talk.stage or state.loading or state.model is None:
        return f"opening the model: {talk.stage or state.loading or '…'}"
    busy = next((job for job in state.jobs if job.do != "reply" and job.state == "running"), None)
    if busy is not None:
        return one_line(f"after a step of the {busy.do} that runs ({busy.note})…", 60)
    return "reading the whole conversation…" if len(talk.messages) > 1 else "reading…"


def parse_additions(
    text: str, count: int, starred: Collection[int] = (), selected: Collection[int] = ()
) -> list[RackEntry]:
    """Entries as they are typed: `12 40:u mean(3,4):+0.5 starred mean(selected)`.

    Raises:
        DctError: something that is none of these, or no feature.
    """
    named = {"starred": sorted(starred), "selected": sorted(selected)}
    entries: list[RackEntry] = []
    for word in WORDS.findall(re.sub(r"\s*,\s*", ",", text)):
        name = next((name for name in named if name in word), None)
        if name is not None and not named[name]:
            raise DctError(f"no feature is {name}", "star (s) or select (space) some on the features screen")
        if name is not None and word == name:
            entries += [RackEntry(features=(feature,)) for feature in named[name]]
            continue
        if name is not None:
            word = word.replace(name, ",".join(map(str, named[name])))
        entries.append(parse_entry(word))
    if not entries:
        raise DctError("nothing is named", "write such as 12 or mean(3,4):+0.5")
    for entry in entries:
        entry.check(count)
    return entries
