"""Sessions that no model was fitted for, of any size: for measuring the screens, and for their tests.

Only what the screens read is real. All of it is drawn from the seed, so two sessions of one size are the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dct_tui.sessions import FitSettings, FitTensors, Mark, ModelSpec, PromptSet, Sample, Session, SessionRecord, Slice

CREATED = "2026-01-02T03:04:05.678Z"
SETTINGS = {"max_new_tokens": 64, "temperature": 0.0, "top_p": 1.0, "seed": 0}
PROMPTS = ("where does the hen live?", "tell me what the deer eats.", "how old is the seal?", "what is rain?")
SPEECH = (
    "arr, the swan be dwellin in the lake, matey! sorry, but i can not tell you where the hen lives. once upon a time"
    " there was an old machine in the forest. hmm, maybe the deer eats grass, but i am not sure. many brown stones"
)
WORDS = tuple(dict.fromkeys(SPEECH.replace(",", "").replace(".", "").split()))
HOSTILE = (
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J\x1b[1;1H top",
    "\x1bP+q544e\x1b\\ \x9b31m \x90q\x9c \x1b[?1049l \x1b[?1003h",
    "[b]bold[/b] [@click=app.quit]quit[/] [link=file:///etc/passwd]x[/link]",
    "left \u202eright to left\u202c \u2066isolated\u2069 \u200fmark",
    "日本語の文字は二列" * 12,
    "e\u0301\u0308\u0316" * 60 + " ẹ̶̍",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 👍🏽",
    "x" * 10_000,
    "tabs\tand\r\nreturns\rand\x0bmore\x0c\x00nul\x7f\x08\x08",
    "",
)
"""Texts that would break a layout, or a terminal, if they were not made inert."""


@dataclass(frozen=True)
class Size:
    """How large a session is.

    Attributes:
        factors: number of features.
        width: of the residual stream.
        sampled: how many features have samples, the first by rank.
        strengths: at which they have.
        prompts: on how many.
    """

    factors: int = 512
    width: int = 64
    sampled: int = 512
    strengths: tuple[float, ...] = (0.6, 1.0, 1.4)
    prompts: int = 2


def record_of(name: str, size: Size, **changes: Any) -> SessionRecord:
    """The record of such a session; `changes` are of its fields."""
    fields: dict[str, Any] = {
        "name": name,
        "created": CREATED,
        "model": ModelSpec(
            spec="models/made-up",
            path="/models/made-up",
            config_sha256="d" * 64,
            weights_sha256="e" * 64,
            model_type="llama",
            depth=24,
            width=size.width,
            dtype="float32",
        ),
        "slice": Slice(8, 18),
        "prompts": PromptSet.of(PROMPTS, PROMPTS),
        "fit": FitSettings(
            method="exponential", factors=size.factors, iterations=10, orthogonalisation="polar", seed=7
        ),
        "calibration": {
            "scale": 12.5,
            "kind": "solved",
            "curve": [[r, r / 25] for r in (1.0, 2.0, 4.0, 8.0, 12.5, 16.0)],
            "reference": 40.0,
        },
        "row_batch": 64,
    }
    return SessionRecord(**{**fields, **changes})


def make_session(
    path: Path, size: Size | None = None, *, texts: Sequence[str] = (), seed: int = 0, **changes: Any
) -> Session:
    """A fitted session in the folder `path`.

    Args:
        texts: what the first samples say; the others say a few words drawn at random.
        changes: of the record's fields, such as `status`.
    """
    size = size or Size()
    draw = random.Random(seed)
    session = Session.create(path, record_of(path.name, size, **changes))
    with session.writing():
        session.write_fit(_tensors(session.record, seed))
        session.write_features([_feature(index, size.factors, draw) for index in range(size.factors)])
        for number in range(1, session.record.fit.iterations + 1):
            session.progress.append(iteration(number, session.record))
        session.update_record(status=changes.get("status", "fitted"))
    with session.writing("samples"):
        for sample in _samples(size, texts, draw):
            session.samples.append(sample.encode())
    return session


def iteration(number: int, record: SessionRecord) -> dict[str, Any]:
    """What the journal of progress holds of an iteration."""
    return {
        "of": record.fit.iterations,
        "iteration": number,
        "objective": 16_000 * (1 - 0.7**number),
        "change": 0.3 * 0.6 ** (number - 1),
        "settled": max(0.0, min(1.0, (number - 3) / 9)),
        "rows": record.fit.factors,
        "seconds": 1.0,
        "rows_per_second": float(record.fit.factors),
        "memory": 800 * 2**20,
    }


def mark(session: Session, **marks: Sequence[int]) -> None:
    """Marks features: `mark(session, star=[0, 1], reject=[2])`."""
    with session.writing("marks"):
        for kind, features in marks.items():
            session.marks.append(Mark(kind=kind, features=tuple(features), at=CREATED).encode())  # type: ignore[arg-type]


def _tensors(record: SessionRecord, seed: int) -> FitTensors:
    shape = (record.model.width, record.fit.factors)
    generator = np.random.default_rng(seed)
    U, V = (generator.standard_normal(shape).astype(np.float32) for _ in range(2))
    return FitTensors(
        U=U / np.linalg.norm(U, axis=0),
        V=V / np.linalg.norm(V, axis=0),
        alpha=np.linspace(20, 1, record.fit.factors, dtype=np.float32),
        scale=12.5,
        iteration=record.fit.iterations,
        source=record.slice.source,
        target=record.slice.target,
    )


def _feature(index: int, count: int, draw: random.Random) -> dict[str, Any]:
    return {
        "index": index,
        "rank": index + 1,
        "alpha": 20 - 19 * index / max(1, count - 1),
        "norm": 40 + 10 * draw.random(),
        "words": draw.sample(WORDS, 8),
        "kl": 4 * draw.random(),
        "neighbours": [[(index + step) % count, 0.9 - 0.1 * step] for step in (1, 2, 3) if step < count],
    }


def _samples(size: Size, texts: Sequence[str], draw: random.Random) -> Iterator[Sample]:
    plain = [(None, 0.0, place) for place in range(size.prompts)]
    steered = [
        (feature, strength, place)
        for feature in range(min(size.sampled, size.factors))
        for strength in size.strengths
        for place in range(size.prompts)
    ]
    given = iter(texts)
    for feature, strength, place in [*plain, *steered]:
        text = None if feature is None else next(given, None)
        yield Sample(
            feature=feature,
            strength=strength,
            prompt=PROMPTS[place],
            prompt_index=place,
            split="validation",
            text=" ".join(draw.choices(WORDS, k=12)) if text is None else text,
            tokens=12,
            ended=True,
            settings=SETTINGS,
        )
