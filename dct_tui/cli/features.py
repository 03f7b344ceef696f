"""`dct-tui features`: what is known of a session's features."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import DctError
from .options import LARGEST_COUNT, AllowPickle, Device, DeviceMap, Json, SessionName, TrustRemoteCode
from .output import note, print_json, print_table, session_word

if TYPE_CHECKING:
    from ..features.texts import TextEffect

SORTS = {"rank": ("rank", False), "kl": ("kl", True), "norm": ("norm", True), "index": ("index", False)}


def features(
    session: SessionName,
    sort: Annotated[str, typer.Option(help="rank (distinct first), kl, norm or index.")] = "rank",
    contrast: Annotated[
        str | None, typer.Option(help="Sort by what a feature does to two words, such as Sure,Sorry (loads the model).")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first so many.", min=1, max=LARGEST_COUNT)] = None,
    device: Device = None,
    device_map: DeviceMap = None,
    trust_remote_code: TrustRemoteCode = False,
    allow_pickle: AllowPickle = False,
    json: Json = False,
) -> None:
    """List features with their strength, effect, promoted words and likeness to others."""
    from ..features.texts import text_effects
    from ..sessions import Session, find_session

    opened = Session.open(find_session(session))
    if sort not in SORTS:
        raise DctError(f"features cannot be sorted by {sort!r}", f"choose one of {', '.join(SORTS)}")
    samples, notices = opened.read_samples()
    for notice in notices:
        note(notice)
    effects = text_effects(samples)
    records = [{**record, "effects": effects.get(record["index"], [])} for record in opened.read_features()]
    if not records:
        raise DctError(
            f"{opened.name} has no features yet", f"finish its fit: dct-tui resume {session_word(opened.path)}"
        )
    key, descending = SORTS[sort]
    records.sort(key=lambda record: _measured(record, key), reverse=descending)
    if contrast is not None:
        words = _two_words(contrast)
        from ..jobs.contrast_job import contrast_scores
        from ..jobs.reopen import reopen_model

        lm = reopen_model(opened, device, device_map, trust_remote_code, allow_pickle)
        scores = contrast_scores(lm, opened, *words)
        records = [{**record, "contrast": scores[record["index"]]} for record in records]
        records.sort(key=lambda record: float(record["contrast"]), reverse=True)
    for record in records[:limit] if json else []:
        print_json({**record, "effects": [asdict(effect) for effect in record["effects"]]})
    if not json:
        _print(records[:limit], contrast is not None)


def _measured(record: dict[str, Any], key: str) -> float:
    if record[key] is not None:
        return float(record[key])
    # What is not finite is kept as nothing, and is the most there is; an average was not measured.
    return float("-inf" if "members" in record else "inf")


def _two_words(contrast: str) -> tuple[str, str]:
    # Not stripped: in many tokenizers a word after a space is another token.
    words = contrast.split(",")
    if len(words) != 2 or not all(word.strip() for word in words):
        raise DctError(f"{contrast!r} is not two words", "write --contrast Sure,Sorry")
    return words[0], words[1]


def _print(records: list[dict[str, Any]], with_contrast: bool) -> None:
    headers = ["feature", "rank", "alpha", "norm", "kl", "changed", "broken", "nearest", "words"]
    rows = []
    for record in records:
        effect: TextEffect | None = min(record["effects"], key=lambda e: abs(e.strength - 1), default=None)
        near = record["neighbours"][0] if record["neighbours"] else None
        row = [
            record["index"],
            record["rank"],
            f"{record['alpha']:.3g}",
            "-" if record["norm"] is None else f"{record['norm']:.3g}",
            "-" if record["kl"] is None else f"{record['kl']:.3g}",
            "-" if effect is None or effect.changed is None else f"{effect.changed:.0%}",
            "-" if effect is None else f"{effect.degenerate:.0%}",
            f"{near[0]} ({near[1]:.2f})" if near else "-",
            " ".join(record["words"]),
        ]
        rows.append([f"{record['contrast']:.3g}", *row] if with_contrast else row)
    print_table(["contrast", *headers] if with_contrast else headers, rows)
    if not any(record["effects"] for record in records):
        note("changed and broken come with samples: see dct-tui sample --help")
