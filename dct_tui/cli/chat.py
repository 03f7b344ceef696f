"""`dct-tui chat`: plain lines in, replies out, with features switched on."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import DctError
from ..inert import inert
from .options import (
    AllowPickle,
    Device,
    DeviceMap,
    Json,
    MaxNewTokens,
    Seed,
    SessionName,
    Temperature,
    TopP,
    TrustRemoteCode,
)
from .output import note, print_json

if TYPE_CHECKING:
    from ..jobs.chat_job import Chat as Conversation


def chat(
    session: SessionName,
    steer: Annotated[
        list[str] | None,
        typer.Option(help="Add features: 12:+1.0 or mean(3,4):-0.5; several with spaces between."),
    ] = None,
    ablate: Annotated[
        list[str] | None, typer.Option(help="Project directions out: 40:u (output) or mean(40,41):v (input).")
    ] = None,
    ablation: Annotated[str, typer.Option(help="writes (out of what attention and MLP write) or stream.")] = "writes",
    layers: Annotated[str, typer.Option(help="Layers to ablate in: all, or such as 4-8.")] = "all",
    system: Annotated[str | None, typer.Option(help="System prompt; by default the session's.")] = None,
    max_new_tokens: MaxNewTokens = 256,
    temperature: Temperature = 0.0,
    top_p: TopP = 1.0,
    seed: Seed = 0,
    name: Annotated[str | None, typer.Option(help="Keep the chat in the session; a kept one is gone on with.")] = None,
    device: Device = None,
    device_map: DeviceMap = None,
    trust_remote_code: TrustRemoteCode = False,
    allow_pickle: AllowPickle = False,
    json: Json = False,
) -> None:
    """Chat with features added or ablated: a line is a message, the end of input ends the chat."""
    from ..sessions import Session, find_session

    opened = Session.open(find_session(session))
    from ..jobs.chat_job import start_chat
    from ..jobs.rack import ablation_kind
    from ..jobs.reopen import reopen_model
    from ..models.generation import Sampling
    from ..sessions.chats import ChatLog
    from ..sessions.rack import in_words, parse_ablate, parse_steer

    where = _layers(layers, opened.record.model.depth)
    kind = ablation_kind(ablation)
    rack = [
        *(parse_steer(word) for word in _words(steer)),
        *(parse_ablate(word, kind, where) for word in _words(ablate)),
    ]
    for one in rack:
        one.check(opened.feature_count)
    with opened.writing("chats") if name else nullcontext():
        log = ChatLog(opened.chat(name)) if name else None
        lm = reopen_model(opened, device, device_map, trust_remote_code, allow_pickle)
        sampling = Sampling(max_new_tokens, temperature, top_p, seed)
        talk = start_chat(lm, opened, rack, sampling, system=system, log=log)
        _converse(talk, json, in_words(rack))


def _layers(text: str, depth: int) -> tuple[int, ...] | None:
    from ..features.choose import parse_indices

    return None if text.strip() == "all" else tuple(parse_indices(text, depth, "layer"))


def _words(given: Sequence[str] | None) -> list[str]:
    """The words of all values; a space after a comma, as in mean(3, 4), parts none."""
    return [word for text in given or () for word in re.sub(r"\s*,\s*", ",", text).split()]


def _converse(talk: Conversation, json: bool, rack: str) -> None:
    if hasattr(sys.stdin, "reconfigure"):
        # Messages are UTF-8 whatever the locale, as prompts are.
        sys.stdin.reconfigure(encoding="utf-8", errors="strict")
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    if interactive:
        import readline  # noqa: F401  # from here on `input` edits lines and remembers them

        note(f"chat with {rack} on: a line is a message, Ctrl-C stops a reply, Ctrl-D ends the chat")
    while True:
        try:
            line = input("> " if interactive else "").strip()
        except EOFError:
            if interactive:
                print()
            return
        except UnicodeDecodeError:
            raise DctError("a message is not valid UTF-8", "save the messages as UTF-8") from None
        if not line:
            continue
        try:
            _reply(talk, line, json)
        except KeyboardInterrupt:
            if not interactive:
                raise
            print()
        except DctError as error:
            if not interactive:
                raise
            note(str(error))


def _reply(talk: Conversation, line: str, json: bool) -> None:
    pieces: list[str] = []
    with closing(talk.say(line)) as stream:
        for piece in stream:
            pieces.append(piece)
            if not json:
                print(inert(piece), end="", flush=True)
    if json:
        print_json({"prompt": line, "text": "".join(pieces)})
    else:
        print()
