"""The Python interface: open a model, fit, steer, sample, export."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .export import Written, export_vectors, session_context, session_vectors
from .jobs.chat_job import Chat, start_chat
from .jobs.fit_job import Step, prepare, run
from .jobs.request import FitRequest, prompt_set
from .jobs.sample_job import all_wishes, prompts_to_sample, sample_session
from .models.generation import Sampling
from .models.loading import LanguageModel, open_model
from .sessions import Sample, Session
from .sessions.rack import parse_ablate, parse_steer

__all__ = ["chat", "export_features", "fit", "open_model", "sample"]


def fit(
    lm: LanguageModel,
    prompts: Sequence[str],
    *,
    validation: Sequence[str] | None = None,
    system: str | None = None,
    session: str | Path | None = None,
    on_step: Callable[[Step], None] | None = None,
    **settings: Any,
) -> Session:
    """Fits a transcoder on prompts into a session folder.

    Args:
        lm: from `open_model`.
        prompts: what to fit on.
        validation: what features are judged on; without it, a quarter of the prompts is held back.
        system: system prompt.
        session: the folder; by default a new one. An unfinished session of the same settings is gone on with.
        on_step: called as the fit goes on.
        settings: any of `FitRequest`: source, target, method, factors, iterations, scale, seed …

    Raises:
        DctError: prompts, settings or a folder that cannot be used.
    """
    found = prompt_set(prompts, validation, system, int(settings.get("seed", 0)))
    request = FitRequest(prompts=found, **settings)
    prepared = prepare(lm, request, None if session is None else Path(session))
    run(lm, prepared, on_step)
    return prepared.session


def sample(
    lm: LanguageModel,
    session: Session,
    features: Sequence[int],
    prompts: Sequence[str] | None = None,
    *,
    strengths: Sequence[float] = (1.0,),
    max_new_tokens: int = 64,
) -> Iterator[Sample]:
    """Greedy replies under each feature, and without any (`feature` None), kept in the session.

    Args:
        prompts: by default the session's validation prompts.
        strengths: in units of R.
    """
    texts, split = prompts_to_sample(session, prompts or ())
    wishes = all_wishes(features, strengths, texts)
    return sample_session(lm, session, wishes, Sampling(max_new_tokens=max_new_tokens), split)


def chat(
    lm: LanguageModel,
    session: Session,
    *,
    steer: Sequence[str] = (),
    ablate: Sequence[str] = (),
    sampling: Sampling | None = None,
) -> Chat:
    """A conversation with features on the rack: `for piece in chat(lm, session, steer=["12:+1.0"]).say("Hello"): …`.

    Args:
        steer: features to add, such as `12:+1.0` or `mean(3,4):-0.5`, strengths in units of R.
        ablate: directions to project out of what attention and MLP write, such as `40:u` or `mean(40,41):v`.
        sampling: by default greedy, 256 tokens at most.

    Raises:
        DctError: a word that names no feature of the session.
    """
    rack = [*map(parse_steer, steer), *map(parse_ablate, ablate)]
    return start_chat(lm, session, rack, sampling or Sampling(max_new_tokens=256))


def export_features(
    session: Session, features: Sequence[int], format: str, folder: str | Path, *, strength: float = 1.0
) -> list[Written]:
    """Writes features to files that other programs load: `safetensors`, `npz` or `gguf`.

    Raises:
        DctError: no such feature or format, a file that is there already, or no room.
    """
    vectors = session_vectors(session, features, strength=strength)
    return export_vectors(format, vectors, session_context(session), Path(folder))
