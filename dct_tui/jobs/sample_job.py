"""Samples of many features at many strengths, kept in the session, each made once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from ..errors import DctError
from ..models.generation import Row, Sampling, complete
from ..models.interventions import Steering
from ..models.loading import LanguageModel
from ..sessions import Sample, Session
from ..sessions.samples import sample_key
from ..transcoder import Transcoder
from .fit_job import read_transcoder
from .request import encode_prompts

ROWS = 128


@dataclass(frozen=True)
class Wish:
    """One sample that is wanted. `feature` None is the unsteered model, at strength 0."""

    feature: int | None
    strength: float
    prompt: str
    prompt_index: int


def all_wishes(features: Sequence[int], strengths: Sequence[float], prompts: Sequence[str]) -> list[Wish]:
    """The unsteered text of every prompt, then every feature at every strength on every prompt."""
    plain = [Wish(None, 0.0, prompt, index) for index, prompt in enumerate(prompts)]
    return plain + [
        Wish(feature, strength, prompt, index)
        for feature in features
        for strength in strengths
        for index, prompt in enumerate(prompts)
    ]


def sample_session(
    lm: LanguageModel, session: Session, wishes: Sequence[Wish], sampling: Sampling, split: str
) -> Iterator[Sample]:
    """Samples in the order of the wishes. What the session holds already is not made again.

    Raises:
        DctError: no such feature, or a prompt that cannot be encoded.
        SessionBusy: another process is sampling this session.
    """
    transcoder = read_transcoder(session)
    _check(wishes, transcoder)
    settings = asdict(sampling)
    with session.writing("samples"):
        kept = {sample.key: sample for sample in session.read_samples()[0]}
        for start in range(0, len(wishes), ROWS):
            some = wishes[start : start + ROWS]
            keys = [sample_key(wish.feature, wish.strength, wish.prompt, settings) for wish in some]
            missing = [wish for wish, key in zip(some, keys, strict=True) if key not in kept]
            for sample in _make(lm, session, transcoder, missing, sampling, split):
                session.samples.append(sample.encode())
                kept[sample.key] = sample
            yield from (kept[key] for key in keys)


def _make(
    lm: LanguageModel,
    session: Session,
    transcoder: Transcoder,
    wishes: Sequence[Wish],
    sampling: Sampling,
    split: str,
) -> Iterator[Sample]:
    if not wishes:
        return
    record, scale = session.record, transcoder.config.scale
    ids = encode_prompts(lm, tuple(wish.prompt for wish in wishes), record.prompts.system)
    rows = [
        Row(tokens)
        if wish.feature is None
        else Row(tokens, [Steering(wish.strength * scale * transcoder.V[:, wish.feature], record.slice.source)])
        for wish, tokens in zip(wishes, ids, strict=True)
    ]
    for wish, reply in zip(wishes, complete(lm, rows, sampling), strict=True):
        yield Sample(
            feature=wish.feature,
            strength=wish.strength,
            prompt=wish.prompt,
            prompt_index=wish.prompt_index,
            split=split,
            text=reply.text,
            tokens=len(reply.ids),
            ended=reply.ended,
            settings=asdict(sampling),
        )


def _check(wishes: Sequence[Wish], transcoder: Transcoder) -> None:
    count = transcoder.V.shape[1]
    for wish in wishes:
        if wish.feature is not None and not 0 <= wish.feature < count:
            raise DctError(f"there is no feature {wish.feature}", f"this session has features 0 to {count - 1}")
