"""`dct-tui sample`: what the model says under each feature."""

from __future__ import annotations

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
    PromptTexts,
    SamplePrompts,
    Seed,
    SessionName,
    Temperature,
    TopP,
    TrustRemoteCode,
)
from .output import note, print_json

if TYPE_CHECKING:
    from ..sessions import Sample


def sample(
    session: SessionName,
    features: Annotated[str, typer.Option(help="all, or numbers and ranges such as 1,2 or 8-12.")] = "all",
    prompts: SamplePrompts = None,
    prompt: PromptTexts = None,
    strengths: Annotated[str, typer.Option(help="In units of R, separated by commas; negative ones reverse.")] = "1.0",
    max_new_tokens: MaxNewTokens = 64,
    temperature: Temperature = 0.0,
    top_p: TopP = 1.0,
    seed: Seed = 0,
    device: Device = None,
    device_map: DeviceMap = None,
    trust_remote_code: TrustRemoteCode = False,
    allow_pickle: AllowPickle = False,
    json: Json = False,
) -> None:
    """Sample features at strengths on prompts, beside the unsteered text. Samples are kept and never made twice."""
    from ..features.choose import parse_indices
    from ..prompts import gather_prompts
    from ..sessions import Session, find_session

    opened = Session.open(find_session(session))
    doses = _strengths(strengths)
    given = gather_prompts(prompts, prompt)
    chosen = parse_indices(features, opened.read_fit().alpha.size, "feature")
    from ..jobs.reopen import reopen_model
    from ..jobs.sample_job import all_wishes, prompts_to_sample, sample_session
    from ..models.generation import Sampling

    lm = reopen_model(opened, device, device_map, trust_remote_code, allow_pickle)
    texts, split = prompts_to_sample(opened, given)
    sampling = Sampling(max_new_tokens, temperature, top_p, seed)
    try:
        for one in sample_session(lm, opened, all_wishes(chosen, doses, texts), sampling, split):
            if json:
                print_json({"feature": one.feature, "strength": one.strength, "prompt": one.prompt, "text": one.text})
            else:
                _print(one)
    except KeyboardInterrupt:
        note("stopped; the samples made so far are kept, and the same command goes on from there")
        raise


def _strengths(text: str) -> list[float]:
    try:
        doses = list(dict.fromkeys(float(piece) for piece in text.split(",")))
    except ValueError:
        raise DctError(f"{text!r} is not a list of strengths", "write --strengths 0.5,1.0") from None
    if not all(0 < abs(dose) < float("inf") for dose in doses):
        raise DctError(f"a strength in {text!r} is zero or not finite", "write --strengths 0.5,1.0")
    return doses


def _print(sample: Sample) -> None:
    who = "unsteered" if sample.feature is None else f"feature {sample.feature} × {sample.strength:g}"
    print(f"── {who} ── {inert(sample.prompt)}")
    print(inert(sample.text) + ("" if sample.ended else " …"))
