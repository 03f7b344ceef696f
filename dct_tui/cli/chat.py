"""`dct-tui chat`: plain lines in, replies out, with features switched on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import DctError
from ..features.choose import parse_indices
from ..inert import inert
from ..sessions import Session, find_session
from .options import Device, DeviceMap, Json, MaxNewTokens, SessionName, TrustRemoteCode
from .output import note, print_json

if TYPE_CHECKING:
    from ..jobs.chat_job import Chat as Conversation


def chat(
    session: SessionName,
    steer: Annotated[
        list[str] | None, typer.Option(help="Add features: 12:+1.0 or mean(3,4):-0.5; several words or times.")
    ] = None,
    ablate: Annotated[
        list[str] | None, typer.Option(help="Project directions out: 40:u (output) or mean(40,41):v (input).")
    ] = None,
    ablation: Annotated[str, typer.Option(help="writes (out of what attention and MLP write) or stream.")] = "writes",
    layers: Annotated[str, typer.Option(help="Layers to ablate in: all, or such as 4-8.")] = "all",
    system: Annotated[str | None, typer.Option(help="System prompt; by default the session's.")] = None,
    max_new_tokens: MaxNewTokens = 256,
    temperature: Annotated[float, typer.Option(help="0 is greedy.", min=0.0)] = 0.0,
    top_p: Annotated[float, typer.Option(help="Share of probability kept.", min=0.0, max=1.0)] = 1.0,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    name: Annotated[str | None, typer.Option(help="Keep the chat in the session under this name.")] = None,
    device: Device = None,
    device_map: DeviceMap = None,
    trust_remote_code: TrustRemoteCode = False,
    json: Json = False,
) -> None:
    """Chat with features added or ablated: a line is a message, the end of input ends the chat."""
    opened = Session.open(find_session(session))
    from ..jobs.rack import parse_ablate, parse_steer

    record = opened.record
    if ablation not in ("writes", "stream"):
        raise DctError(f"there is no ablation {ablation!r}", "choose writes or stream")
    where = None if layers == "all" else tuple(parse_indices(layers, record.model.depth, "layer"))
    rack = [parse_steer(text) for entry in steer or [] for text in entry.split()]
    cuts = [parse_ablate(text, ablation, where) for entry in ablate or [] for text in entry.split()]  # type: ignore[arg-type]
    from ..jobs.chat_job import Chat
    from ..jobs.fit_job import read_transcoder
    from ..jobs.reopen import reopen_model
    from ..models.generation import Sampling

    transcoder = read_transcoder(opened)
    source = record.slice.source
    interventions = [one.intervention(transcoder, source) for one in rack]
    interventions += [one.intervention(transcoder, source) for one in cuts]
    lm = reopen_model(opened, device, device_map, trust_remote_code)
    talk = Chat(
        lm,
        interventions,
        Sampling(max_new_tokens, temperature, top_p, seed),
        setting=[*(steer or []), *(f"{text} ({ablation}, layers {layers})" for text in ablate or [])],
        journal=opened.chat(name) if name else None,
    )
    if opening := system or record.prompts.system:
        talk.messages.append({"role": "system", "content": opening})
    if sys.stdin.isatty():
        note("a line is a message; Ctrl-D ends the chat, Ctrl-C stops a reply")
    _converse(talk, json)


def _converse(talk: Conversation, json: bool) -> None:
    while True:
        try:
            line = input("> " if sys.stdin.isatty() else "").strip()
        except EOFError:
            return
        if not line:
            continue
        pieces: list[str] = []
        try:
            for piece in talk.say(line):
                pieces.append(piece)
                if not json:
                    print(inert(piece), end="", flush=True)
        except KeyboardInterrupt:
            if not sys.stdin.isatty():
                raise
        if json:
            print_json({"prompt": line, "text": "".join(pieces)})
        else:
            print()
