"""`dct-tui sample`: what the model says under each feature."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import DctError
from ..features.choose import parse_indices
from ..inert import inert
from ..prompts import read_prompts
from ..sessions import Sample, Session, find_session
from .options import Device, DeviceMap, Json, MaxNewTokens, PromptTexts, SessionName, TrustRemoteCode
from .output import print_json


def sample(
    session: SessionName,
    features: Annotated[str, typer.Option(help="all, or numbers and ranges such as 1,2 or 8-12.")] = "all",
    prompts: Annotated[
        Path | None, typer.Option(help="A .txt, .jsonl or .csv file; by default the validation prompts.")
    ] = None,
    prompt: PromptTexts = None,
    strengths: Annotated[str, typer.Option(help="In units of R, separated by commas; negative ones reverse.")] = "1.0",
    max_new_tokens: MaxNewTokens = 64,
    temperature: Annotated[float, typer.Option(help="0 is greedy.", min=0.0)] = 0.0,
    top_p: Annotated[float, typer.Option(help="Share of probability kept.", min=0.0, max=1.0)] = 1.0,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    device: Device = None,
    device_map: DeviceMap = None,
    trust_remote_code: TrustRemoteCode = False,
    json: Json = False,
) -> None:
    """Sample features at strengths on prompts, beside the unsteered text. Samples are kept and never made twice."""
    opened = Session.open(find_session(session))
    doses = _strengths(strengths)
    given = (*(read_prompts(prompts) if prompts else ()), *(prompt or ()))
    own = opened.record.prompts
    texts = given or own.validation or own.fit
    split = "given" if given else "validation" if own.validation else "fit"

    chosen = parse_indices(features, opened.read_fit().alpha.size, "feature")
    from ..jobs.reopen import reopen_model
    from ..jobs.sample_job import all_wishes, sample_session
    from ..models.generation import Sampling

    lm = reopen_model(opened, device, device_map, trust_remote_code)
    sampling = Sampling(max_new_tokens, temperature, top_p, seed)
    for one in sample_session(lm, opened, all_wishes(chosen, doses, texts), sampling, split):
        if json:
            print_json({"feature": one.feature, "strength": one.strength, "prompt": one.prompt, "text": one.text})
        else:
            _print(one)


def _strengths(text: str) -> list[float]:
    try:
        doses = [float(piece) for piece in text.split(",")]
    except ValueError:
        raise DctError(f"{text!r} is not a list of strengths", "write --strengths 0.5,1.0") from None
    if not all(0 < abs(dose) < float("inf") for dose in doses):
        raise DctError(f"a strength in {text!r} is zero or not finite", "write --strengths 0.5,1.0")
    return doses


def _print(sample: Sample) -> None:
    who = "unsteered" if sample.feature is None else f"feature {sample.feature} × {sample.strength:g}"
    print(f"── {who} ── {inert(sample.prompt)}")
    print(inert(sample.text) + ("" if sample.ended else " …"))
