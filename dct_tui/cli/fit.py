"""`dct-tui fit`: a transcoder on a model and prompts, into a session folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import DctError
from .options import (
    LARGEST_COUNT,
    AllowPickle,
    Device,
    DeviceMap,
    Dtype,
    Json,
    ModelName,
    PromptsFile,
    PromptTexts,
    Revision,
    Seed,
    TrustRemoteCode,
)
from .output import note, print_json, session_word
from .progress import fit_progress

if TYPE_CHECKING:
    from ..jobs.fit_job import Prepared
    from ..models.loading import LanguageModel
    from ..sessions import Session
    from ..transcoder import Transcoder


def fit(
    model: ModelName,
    prompts: PromptsFile = None,
    prompt: PromptTexts = None,
    validation: Annotated[
        Path | None, typer.Option(help="Prompts to judge features on; else a quarter is held back.")
    ] = None,
    system: Annotated[str | None, typer.Option(help="System prompt.")] = None,
    source: Annotated[
        int | None, typer.Option(help="Layer to steer; by default a third of the way up.", max=LARGEST_COUNT)
    ] = None,
    target: Annotated[
        int | None, typer.Option(help="Layer to watch; by default ten above the source.", max=LARGEST_COUNT)
    ] = None,
    factors: Annotated[
        int | None, typer.Option(help="How many; by default 512, or the width if that is less.", max=LARGEST_COUNT)
    ] = None,
    iterations: Annotated[int, typer.Option(help="Of the fit.", max=LARGEST_COUNT)] = 10,
    method: Annotated[
        str, typer.Option(help="exponential, quadratic, linear, projected, melbo or random.")
    ] = "exponential",
    orthogonalisation: Annotated[str, typer.Option(help="polar, qr or soft.")] = "polar",
    scale: Annotated[float | None, typer.Option(help="Input scale R; by default it is calibrated.")] = None,
    seed: Seed = 0,
    positions: Annotated[
        int, typer.Option(help="Target positions: the last so many tokens of a prompt.", max=LARGEST_COUNT)
    ] = 3,
    row_batch: Annotated[
        int | None, typer.Option(help="Rows evaluated at once; by default as memory allows.", max=LARGEST_COUNT)
    ] = None,
    session: Annotated[Path | None, typer.Option(help="The session's folder; by default a new one.")] = None,
    dtype: Dtype = "auto",
    device: Device = None,
    device_map: DeviceMap = None,
    revision: Revision = None,
    trust_remote_code: TrustRemoteCode = False,
    allow_pickle: AllowPickle = False,
    json: Json = False,
) -> None:
    """Fit a transcoder and describe its features.

    Ctrl-C keeps the last finished iteration; `dct-tui resume` goes on from there.
    """
    from ..prompts import gather_prompts, read_prompts

    texts = gather_prompts(prompts, prompt)
    if not texts:
        raise DctError("there are no prompts", "give some with --prompts FILE or --prompt TEXT")
    held = read_prompts(validation) if validation else None
    from ..jobs.fit_job import prepare
    from ..jobs.request import FitRequest, prompt_set
    from ..models.loading import open_model

    request = FitRequest(
        prompts=prompt_set(texts, held, system, seed),
        source=source,
        target=target,
        method=method,  # type: ignore[arg-type]  # checked with the other settings
        factors=factors,
        iterations=iterations,
        orthogonalisation=orthogonalisation,  # type: ignore[arg-type]
        scale=scale,
        seed=seed,
        target_positions=positions,
        row_batch=row_batch,
    )
    request.check()
    lm = open_model(
        model,
        dtype=dtype,  # type: ignore[arg-type]
        device=device,
        device_map=device_map,
        revision=revision,
        trust_remote_code=trust_remote_code,
        allow_pickle=allow_pickle,
    )
    prepared = prepare(lm, request, session)
    if prepared.session.resumed:
        note(f"going on with the unfinished session in {prepared.session.path}")
    run_and_report(lm, prepared, json)


def run_and_report(lm: LanguageModel, prepared: Prepared, json: bool) -> None:
    """Runs a prepared fit with its progress, and says where it is and what to do next."""
    from ..jobs.fit_job import run

    session = prepared.session
    note(f"session {session.path}")
    try:
        with fit_progress() as progress:
            transcoder = run(lm, prepared, progress)
    except KeyboardInterrupt:
        note(f"stopped; every finished iteration is kept. Go on with: dct-tui resume {session_word(session.path)}")
        raise
    if json:
        print_json(fit_figures(session, transcoder))
        return
    print(f"{transcoder.V.shape[1]} features at R = {transcoder.config.scale:.4g} in {session.path}")
    print(f"next: dct-tui features {session_word(session.path)}")


def fit_figures(session: Session, transcoder: Transcoder) -> dict[str, Any]:
    """The outcome of a fit for scripts."""
    record = session.record
    last = transcoder.history[-1] if transcoder.history else None
    return {
        "session": str(session.path),
        "status": record.status,
        "model": record.model.spec,
        "source": record.slice.source,
        "target": record.slice.target,
        "method": record.fit.method,
        "factors": record.fit.factors,
        "iterations": record.fit.iterations,
        "scale": transcoder.config.scale,
        "row_batch": transcoder.config.row_batch,
        "calibration": record.calibration,
        "objective": last.objective if last else None,
        "settled": last.settled if last else None,
        "seconds": sum(iteration.seconds for iteration in transcoder.history),
    }
