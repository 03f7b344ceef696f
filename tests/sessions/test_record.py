from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from dct_tui.errors import DctError, SchemaTooNew, SessionDamaged
from dct_tui.sessions import PromptSet, SessionRecord, prompts_sha256
from dct_tui.sessions.schema import SCHEMA


def changed(record: SessionRecord, path: str, value: object) -> bytes:
    """The encoded record with one field, named as `model.depth`, set to another value."""
    document = orjson.loads(record.encode())
    *groups, last = path.split(".")
    inner: dict[str, Any] = document
    for group in groups:
        inner = inner[group]
    if value is KeyError:
        del inner[last]
    else:
        inner[last] = value
    return orjson.dumps(document)


def test_round_trip(record: SessionRecord) -> None:
    full = dataclasses.replace(
        record, status="failed", failure="NaN", row_batch=8, calibration={"R": 2.5, "ratios": [[1.0, 0.5]]}
    )
    assert SessionRecord.decode(full.encode(), "session.json") == full


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("model.depth", KeyError, "model: the field 'depth' is missing"),
        ("created", KeyError, "the field 'created' is missing"),
        ("model.depth", "6", "model: depth should be a whole number, not '6'"),
        ("model.depth", True, "model: depth should be a whole number, not True"),
        ("model.width", 8.5, "model: width should be a whole number, not 8.5"),
        ("model", [], r"model should be an object, not \[\]"),
        ("fit.scale", "big", "fit: scale should be a finite number"),
        ("fit.options", 3, "fit: options should be an object"),
        ("model.trust_remote_code", 1, "trust_remote_code should be true or false"),
        ("prompts.fit", "one", "prompts: fit should be a list"),
        ("prompts.fit", ["one", 2], r"prompts: fit\[1\] should be text, not 2"),
        ("prompts.fit", ["one", "other"], "the fit prompts are not those of fit_sha256"),
        ("status", "half", "status should be one of created, fitting, stopped, failed, fitted"),
        ("surprise", 1, "unknown field 'surprise'"),
        ("model.surprise", 1, "model: unknown field 'surprise'"),
        ("schema", "x", "schema should be a whole number"),
        ("schema", KeyError, "schema should be a whole number"),
        ("schema", 0, "schema should be a whole number"),
    ],
)
def test_an_error_names_the_field(record: SessionRecord, path: str, value: object, words: str) -> None:
    with pytest.raises(SessionDamaged, match=words):
        SessionRecord.decode(changed(record, path, value), "session.json")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 5000])
def test_what_is_no_record_is_damage(data: bytes) -> None:
    with pytest.raises(SessionDamaged, match=r"^session\.json "):
        SessionRecord.decode(data, "session.json")


def test_a_newer_schema_says_how_to_upgrade(record: SessionRecord) -> None:
    with pytest.raises(SchemaTooNew, match=r"newer dct-tui \(schema 99.*pip install -U dct-tui") as error:
        SessionRecord.decode(changed(record, "schema", 99), "session.json")
    assert error.value.exit_code == 2


def test_a_newer_schema_is_told_before_its_unknown_fields(record: SessionRecord) -> None:
    document = orjson.loads(record.encode()) | {"schema": SCHEMA + 1, "new": 1}
    with pytest.raises(SchemaTooNew):
        SessionRecord.decode(orjson.dumps(document), "session.json")


def test_an_older_schema_is_migrated(record: SessionRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    from dct_tui.sessions import schema

    monkeypatch.setattr(schema, "SCHEMA", 2)
    monkeypatch.setattr(schema, "MIGRATIONS", {1: lambda document: {**document, "row_batch": 64}})
    assert SessionRecord.decode(record.encode(), "session.json").row_batch == 64


def test_prompts_are_known_by_their_hash() -> None:
    assert prompts_sha256(["a", "b"]) != prompts_sha256(["ab"])
    assert prompts_sha256(["a", "b"]) != prompts_sha256(["b", "a"])
    assert PromptSet.of(["ü"]).fit_sha256 == prompts_sha256(["ü"])


def test_prompts_that_are_not_unicode_are_refused() -> None:
    with pytest.raises(DctError, match="UTF-8"):
        PromptSet.of(["\udcff"])


def test_differences_name_settings_and_nothing_else(
    record: SessionRecord, with_fit: Callable[..., SessionRecord]
) -> None:
    later = dataclasses.replace(record, created="2027-01-01T00:00:00.000Z", name="b", row_batch=2, status="stopped")
    assert record.differences(later) == []
    assert record.differences(with_fit(record, factors=9, seed=8)) == ["factors 9, not 4", "seed 8, not 7"]
    prompts = dataclasses.replace(record, prompts=PromptSet.of(["other"]))
    assert [line.split(" ")[0] for line in record.differences(prompts)] == ["fit", "validation", "system"]


def test_options_compare_as_they_are_written(record: SessionRecord, with_fit: Callable[..., SessionRecord]) -> None:
    asked = with_fit(record, options={"temperatures": (1, 2)})
    assert SessionRecord.decode(asked.encode(), "session.json").differences(asked) == []


@pytest.mark.parametrize(("source", "target"), [(-1, 3), (3, 3), (4, 2), (2, 7)])
def test_a_slice_that_the_model_lacks(record: SessionRecord, source: int, target: int) -> None:
    document = orjson.loads(record.encode())
    document["slice"] = {"source": source, "target": target}
    with pytest.raises(SessionDamaged, match=f"slice {source} to {target} is none of 6 blocks"):
        SessionRecord.decode(orjson.dumps(document), "session.json")
