"""`dct-tui chat`: plain lines in, replies out, with features switched on."""

from __future__ import annotations

import sys
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
from .rack_words import Ablate, AblatedLayers, Ablation, Steer, rack_of

if TYPE_CHECKING:
    from ..jobs.chat_job import Chat as Conversation


def chat(
    session: SessionName,
    steer: Steer = None,
    ablate: Ablate = None,
    ablation: Ablation = "writes",
    layers: AblatedLayers = "all",
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
    from ..jobs.reopen import reopen_model
    from ..models.generation import Sampling
    from ..sessions.chats import ChatLog
    from ..sessions.rack import in_words

    rack = rack_of(steer, ablate, ablation, layers, opened.record.model.depth, opened.feature_count)
    log = ChatLog(opened.chat(name)) if name else None
    lm = reopen_model(opened, device, device_map, trust_remote_code, allow_pickle)
    sampling = Sampling(max_new_tokens, temperature, top_p, seed)
    talk = start_chat(lm, opened, rack, sampling, system=system, log=log)
    _converse(talk, json, in_words(rack))


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
            # Not for longer: others write to chats of the session while a person thinks, and perhaps to this one.
            with talk.session.writing("chats") if talk.log.journal else nullcontext():
                talk.log.poll()
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
