from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file, save_file

from dct_tui.models import generation
from dct_tui.sessions import Session

GREEDY = ("--max-new-tokens", 6, "--json")


def test_one_line_a_sample_and_nothing_else(dct: Any, fitted: Path, prompts: Path) -> None:
    done = dct("sample", "fitted", "--features", "1,2", "--prompts", prompts, "--strengths", "0.5,1.0", *GREEDY)
    assert done.code == 0, done.err
    lines = done.json
    assert len(lines) == 5 * (1 + 2 * 2)
    assert all(list(line) == ["feature", "strength", "prompt", "text"] for line in lines)
    assert [line["feature"] for line in lines[:5]] == [None] * 5
    assert {(line["feature"], line["strength"]) for line in lines} == {(None, 0), (1, 0.5), (1, 1), (2, 0.5), (2, 1)}
    assert [line["prompt"] for line in lines[:5]] == prompts.read_text().splitlines()


def test_samples_are_never_made_twice(dct: Any, fitted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = ("sample", "fitted", "--features", "1,1,0-1", "--strengths", "1,1.0", "--prompt", "Sea?", *GREEDY)
    twice = dct(*request, "--prompt", "Sea?")
    assert len(twice.json) == 6
    assert len(Session.open(fitted).read_samples()[0]) == 3
    monkeypatch.setattr("dct_tui.jobs.sample_job.complete", lambda *a, **k: pytest.fail("sampled again"))
    assert dct(*request).json == twice.json[::2]


def test_samples_are_the_same_in_any_company(
    dct: Any, fitted: Path, prompts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ("sample", "fitted", "--prompts", prompts, "--max-new-tokens", 12, "--json")
    together = dct(*request).json
    (fitted / "samples.jsonl").unlink()
    monkeypatch.setattr("dct_tui.jobs.sample_job.ROWS", 1)
    assert dct(*request).json == together


def test_interrupted_samples_are_kept(dct: Any, fitted: Path, prompts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = ("sample", "fitted", "--prompts", prompts, *GREEDY)
    whole = dct(*request).json
    (fitted / "samples.jsonl").unlink()
    calls = []

    def complete(*arguments: Any, **options: Any) -> Any:
        calls.append(len(arguments[1]))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return generation.complete(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr("dct_tui.jobs.sample_job.ROWS", 4)
        patch.setattr("dct_tui.jobs.sample_job.complete", complete)
        stopped = dct(*request)
    assert stopped.code == 130
    assert "are kept" in stopped.err
    assert stopped.json == whole[:8]
    assert len(Session.open(fitted).read_samples()[0]) == 8
    assert dct(*request).json == whole
    assert len(Session.open(fitted).read_samples()[0]) == len(whole)


def test_draws_depend_on_the_seed_alone(dct: Any, fitted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = ("sample", "fitted", "--prompt", "Sea?", "--temperature", 1.5, "--top-p", 0.9, *GREEDY)
    first, second = dct(*request, "--seed", 1).json, dct(*request, "--seed", 2).json
    assert [line["text"] for line in first] != [line["text"] for line in second]
    greedy = dct("sample", "fitted", "--prompt", "Sea?", *GREEDY).json
    assert [line["text"] for line in greedy] != [line["text"] for line in first]
    (fitted / "samples.jsonl").unlink()
    monkeypatch.setattr("dct_tui.jobs.sample_job.ROWS", 2)
    assert dct(*request, "--seed", 1).json == first


def test_what_decides_the_text_is_recorded(dct: Any, fitted: Path) -> None:
    options = ("--temperature", 0.5, "--top-p", 0.8, "--seed", 3, "--max-new-tokens", 4)
    assert dct("sample", "fitted", "--features", 0, *options).code == 0
    sample = Session.open(fitted).read_samples()[0][0]
    assert sample.settings == {"max_new_tokens": 4, "temperature": 0.5, "top_p": 0.8, "seed": 3}
    assert sample.split == "validation"
    assert sample.prompt in Session.open(fitted).record.prompts.validation


def test_a_vector_without_strength_does_what_the_model_does(dct: Any, fitted: Path) -> None:
    lines = dct("sample", "fitted", "--features", 0, "--strengths", "0.000001", *GREEDY).json
    assert lines[0]["text"] == lines[1]["text"]


def test_what_is_shown_is_inert(dct: Any, fitted: Path) -> None:
    done = dct("sample", "fitted", "--prompt", "red \x1b[31m", "--max-new-tokens", 60, "--temperature", 2)
    assert "\x1b" not in done.out and "�" in done.out


def test_a_torn_journal_is_mended(dct: Any, fitted: Path) -> None:
    whole = dct("sample", "fitted", *GREEDY).json
    journal = fitted / "samples.jsonl"
    journal.write_bytes(journal.read_bytes()[:-30])
    assert dct("sample", "fitted", *GREEDY).json == whole


def test_the_model_must_still_be_the_one(dct: Any, fitted: Path, llama: Path, tmp_path: Path) -> None:
    record = json.loads((fitted / "session.json").read_text())
    moved = tmp_path / "gone"
    (fitted / "session.json").write_text(json.dumps({**record, "model": {**record["model"], "spec": str(moved)}}))
    assert str(moved) in dct("sample", "fitted").complaint
    moved.symlink_to(llama)
    assert dct("sample", "fitted", *GREEDY).code == 0
    (fitted / "session.json").write_text(
        json.dumps({**record, "model": {**record["model"], "config_sha256": "0" * 64}})
    )
    assert "config.json has changed" in dct("sample", "fitted").complaint


def test_other_weights_are_noticed(dct: Any, fitted: Path, llama: Path, tmp_path: Path) -> None:
    other = shutil.copytree(llama, tmp_path / "other")
    record = json.loads((fitted / "session.json").read_text())
    (fitted / "session.json").write_text(json.dumps({**record, "model": {**record["model"], "spec": str(other)}}))
    assert dct("sample", "fitted", *GREEDY).code == 0
    weights = other / "model.safetensors"
    save_file({name: tensor + 0.01 for name, tensor in load_file(weights).items()}, weights)
    assert "weights have changed" in dct("sample", "fitted", *GREEDY).complaint
    assert "weights have changed" in dct("chat", "fitted", stdin="Hello").complaint
