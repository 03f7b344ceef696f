"""The ten lines of the Python interface, and what they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import safetensors.numpy

import dct_tui
from dct_tui.errors import DctError


def test_the_whole_way(llama: Path, home: Path, tmp_path: Path) -> None:
    steps = []
    lm = dct_tui.open_model(str(llama))
    session = dct_tui.fit(
        lm, ["Tell me of the sea.", "What is rain?"], factors=3, iterations=1, row_batch=4, on_step=steps.append
    )
    samples = list(dct_tui.sample(lm, session, [0, 2], strengths=[0.5, 1.0], max_new_tokens=4))
    reply = "".join(dct_tui.chat(lm, session, steer=["1:1.0"]).say("Hello"))
    (written,) = dct_tui.export_features(session, [0, 1], "safetensors", tmp_path)

    assert [step.stage for step in steps][-1] == "describe" and steps[-1].done == steps[-1].of == 3
    assert session.path.parent == home / "sessions" and session.record.status == "fitted"
    assert len(samples) == 2 * (1 + 2 * 2) and samples[0].feature is None and samples[0].split == "fit"
    assert isinstance(reply, str)
    assert safetensors.numpy.load_file(written.path)["V"].shape == (32, 2)
    assert isinstance(dct_tui.Session.open(session.path), dct_tui.Session)


def test_what_cannot_be_done_is_said(llama: Path, home: Path) -> None:
    lm = dct_tui.open_model(str(llama))
    with pytest.raises(DctError, match="0 factors"):
        dct_tui.fit(lm, ["one"], factors=0)
    with pytest.raises(DctError, match="no prompts"):
        dct_tui.fit(lm, [])
    assert not home.exists()


@pytest.mark.parametrize(
    ("prompts", "settings"),
    [
        ("hello", {}),
        (["hello", " "], {}),
        (["hello"], {"factors": 2.5}),
        (["hello"], {"seed": -1}),
        (["hello"], {"target_positions": 10**30}),
        (["hello"], {"scale": "1"}),
        (["hello"], {"scale": 1e-30}),
        (["hello"], {"scale": 1e30}),
    ],
)
def test_misuse_is_refused_and_nothing_written(llama: Path, home: Path, prompts: Any, settings: dict[str, Any]) -> None:
    with pytest.raises(DctError):
        dct_tui.fit(dct_tui.open_model(str(llama)), prompts, **settings)
    assert not home.exists()


def test_no_such_feature_is_said_at_once(llama: Path, home: Path) -> None:
    lm = dct_tui.open_model(str(llama))
    session = dct_tui.fit(lm, ["one"], factors=2, iterations=1, row_batch=4)
    with pytest.raises(DctError, match="no feature 9"):
        dct_tui.sample(lm, session, [9])
    with pytest.raises(DctError, match="no feature 9"):
        dct_tui.chat(lm, session, steer=["9:1"])
