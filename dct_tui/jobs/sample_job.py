"""Samples of many features at many strengths, kept in the session, each made once."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from ..models.generation import Completion, Row, Sampling, complete
from ..models.interventions import Steering
from ..models.loading import LanguageModel
from ..sessions import Sample, SampleKey, Session
from ..sessions.decode import decode_all
from ..sessions.rack import RackEntry
from ..sessions.samples import sample_key
from ..transcoder import Transcoder
from .memory import within_memory
from .reopen import read_transcoder
from .request import encode_prompts

ROWS = 128
FEATURE = re.compile(rb'"feature"\s*:\s*(null|\d+)')
"""In a line of the journal; in a text the quotes are hidden by backslashes."""
OUT_OF_MEMORY = "choose fewer --max-new-tokens, shorter prompts, or --device cpu; the samples made so far are kept"


@dataclass(frozen=True)
class Wish:
    """One sample that is wanted. `feature` None is the unsteered model, at strength 0."""

    feature: int | None
    strength: float
    prompt: str
    prompt_index: int


def prompts_to_sample(session: Session, given: Sequence[str] = ()) -> tuple[tuple[str, ...], str]:
    """The given prompts, else the session's validation prompts, else those it was fitted on; and what to call them."""
    own = session.record.prompts
    if given:
        return tuple(given), "given"
    return (own.validation, "validation") if own.validation else (own.fit, "fit")


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
    lm: LanguageModel,
    session: Session,
    wishes: Sequence[Wish],
    sampling: Sampling,
    split: str,
    *,
    rows: int | None = None,
    check: Callable[[], None] | None = None,
) -> Generator[Sample]:
    """Samples in the order of the wishes. What the session holds already is not made again.

    Args:
        rows: how many are made at once; the fewer, the sooner the first are there.
        check: called at every token; what it raises ends the work, and what is made so far is kept.

    Raises:
        DctError: no such feature, a prompt that cannot be encoded, or no memory.
        SessionBusy: another process is sampling this session.
    """
    transcoder = read_transcoder(session)
    _check(wishes, transcoder)
    prompts = tuple(dict.fromkeys(wish.prompt for wish in wishes))
    ids = dict(zip(prompts, encode_prompts(lm, prompts, session.record.prompts.system), strict=True))
    # Checked before the first sample is asked for: what follows is a generator.
    batch = partial(_batch, lm, transcoder, session.record.slice.source, ids, sampling, check)
    return _samples(session, wishes, asdict(sampling), split, rows or ROWS, batch)


def _samples(
    session: Session,
    wishes: Sequence[Wish],
    settings: dict[str, Any],
    split: str,
    rows: int,
    batch: Callable[[Sequence[Wish]], list[Completion]],
) -> Generator[Sample]:
    with session.writing("samples"):
        kept = {sample.key: sample for sample in _kept(session, wishes)}
        for keys, missing in _in_batches(wishes, settings, kept, rows):
            for wish, reply in zip(missing, batch(missing), strict=True):
                sample = _sample(wish, reply, split, settings)
                session.samples.append(sample.encode())
                kept[sample.key] = sample
            yield from (kept[key] for key in keys)


def _kept(session: Session, wishes: Sequence[Wish]) -> list[Sample]:
    """The samples that may answer these wishes: a journal may hold tens of thousands of others."""
    wished = {(wish.feature, wish.prompt) for wish in wishes}
    features = {b"null" if wish.feature is None else b"%d" % wish.feature for wish in wishes}

    def of_these(line: bytes) -> bool:
        found = FEATURE.search(line)
        return found is None or found[1] in features

    records = session.samples.read(of_these).records
    near = [record for record in records if _place(record) in wished]
    return decode_all(Sample, near, session.samples.path.name)[0]


def _place(record: Mapping[str, Any]) -> tuple[int | None, str] | None:
    feature, prompt = record.get("feature"), record.get("prompt")
    return (feature, prompt) if isinstance(feature, int | None) and isinstance(prompt, str) else None


def _in_batches(
    wishes: Sequence[Wish], settings: dict[str, Any], kept: Container[SampleKey], rows: int
) -> Iterator[tuple[list[SampleKey], list[Wish]]]:
    """The wishes' keys in order, each time with the next `rows` of those that have to be made."""
    keys: list[SampleKey] = []
    missing: dict[SampleKey, Wish] = {}  # A dict, for the same may be wished for twice.
    for wish in wishes:
        key = sample_key(wish.feature, wish.strength, wish.prompt, settings)
        keys.append(key)
        if key not in kept:
            missing[key] = wish
        if len(missing) == rows:
            yield keys, list(missing.values())
            keys, missing = [], {}
    yield keys, list(missing.values())


def _batch(
    lm: LanguageModel,
    transcoder: Transcoder,
    source: int,
    ids: Mapping[str, Sequence[int]],
    sampling: Sampling,
    check: Callable[[], None] | None,
    wishes: Sequence[Wish],
) -> list[Completion]:
    if not wishes:
        return []
    rows = [_row(wish, ids[wish.prompt], transcoder, source) for wish in wishes]
    with within_memory(OUT_OF_MEMORY):
        return complete(lm, rows, sampling, check=check)


def _row(wish: Wish, ids: Sequence[int], transcoder: Transcoder, source: int) -> Row:
    if wish.feature is None:
        return Row(ids)
    vector = wish.strength * transcoder.config.scale * transcoder.V[:, wish.feature]
    return Row(ids, [Steering(vector, source)])


def _sample(wish: Wish, reply: Completion, split: str, settings: dict[str, Any]) -> Sample:
    return Sample(
        feature=wish.feature,
        strength=wish.strength,
        prompt=wish.prompt,
        prompt_index=wish.prompt_index,
        split=split,
        text=reply.text,
        tokens=len(reply.ids),
        ended=reply.ended,
        settings=settings,
    )


def _check(wishes: Sequence[Wish], transcoder: Transcoder) -> None:
    for wish in wishes:
        if wish.feature is not None:
            RackEntry(features=(wish.feature,)).check(transcoder.V.shape[1])
