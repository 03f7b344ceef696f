"""Imports with the model open: what is measured of a vector, and what is concluded of its layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import torch

from benchmarks.family_reference import forward, plus, rewritten
from dct_tui.jobs.import_job import _concluded
from dct_tui.models.loading import open_model
from dct_tui.models.templating import as_messages, encode
from dct_tui.sessions import Session

SOURCE, TARGET = 2, 4


@pytest.fixture
def fitted(dct: Callable[..., Any], llama: Path, tmp_path: Path) -> Session:
    """A fit of the tiny Llama on one prompt."""
    small = ("--source", SOURCE, "--target", TARGET, "--factors", 3, "--iterations", 1, "--scale", 2)
    assert dct("fit", llama, "--prompt", "Hi there.", *small, "--session", tmp_path / "s").code == 0
    return Session.open(tmp_path / "s")


def test_an_exported_feature_comes_back_described(dct: Any, llama: Path, fitted: Session, tmp_path: Path) -> None:
    export = (
        "export",
        fitted.path,
        "--steer",
        "1:-1.5",
        "--format",
        "gguf",
        "--out",
        tmp_path / "g",
        "--verify",
        "--json",
    )
    (line,) = dct(*export).json
    assert [check["passed"] for check in line["verified"]] == [True] * len(line["verified"])
    (result,) = dct("import", fitted.path, line["path"], "--json").json
    assert result["feature"] == 3 and result["strength"] == pytest.approx(1.5)
    assert set(result["advantage"]) == {"1", "2", "3"} and "tried at neighbouring blocks" in result["layers"]
    fit = Session.open(fitted.path).read_fit()
    np.testing.assert_allclose(fit.V[:, 3], -fit.V[:, 1], atol=1e-6)
    record = fitted.read_features()[3]
    assert record["words"] and record["norm"] > 0 and record["kl"] >= 0
    # The output direction is where the change of what enters the target block points, over the last three tokens.
    lm = open_model(str(llama), device="cpu")
    prompts = fitted.record.prompts
    ids = encode(lm, as_messages((prompts.validation or prompts.fit)[0], prompts.system))
    with rewritten(lm.anatomy.blocks) as plain:
        forward(lm.model, ids)
    with rewritten(lm.anatomy.blocks, {SOURCE: plus(fit.scale * torch.from_numpy(fit.V[:, 3]))}) as steered:
        forward(lm.model, ids)
    change = (steered.leaving[TARGET - 1] - plain.leaving[TARGET - 1])[0, -3:].mean(dim=0).numpy()
    np.testing.assert_allclose(fit.U[:, 3], change / np.linalg.norm(change), atol=1e-4)
    assert record["norm"] == pytest.approx(float(np.linalg.norm(change)), rel=1e-3)


def test_receipts_say_that_no_model_was_open(dct: Any, fitted: Session, tmp_path: Path) -> None:
    (line,) = dct("export", fitted.path, "--features", "0", "--out", tmp_path / "g", "--json").json
    assert line["verified"][-1]["said"] == "not verified: no model open"
    receipt = orjson.loads((tmp_path / "g" / "receipt.json").read_bytes())
    (vector,) = next(iter(receipt["exports"].values()))["vectors"]
    assert (vector["enters_block"], vector["leaves_block"], vector["hidden_states"]) == (2, 1, 2)
    assert receipt["files"][Path(line["path"]).name]["sha256"] == line["sha256"]
    (tmp_path / "g" / "receipt.json").write_text("{}")
    assert "no receipt of dct-tui" in dct("export", fitted.path, "--features", "1", "--out", tmp_path / "g").complaint
    assert len(list((tmp_path / "g").iterdir())) == 2


@pytest.mark.parametrize(
    ("kls", "words"),
    [
        ({1: 1.0, 2: 3.0, 3: 1.0}, "it is strongest at its own"),
        ({1: 1.0, 2: 1.0, 3: 1.4}, "its effect does not tell the layer"),
        ({1: 1.0, 2: 1.0, 3: 2.0}, "it is stronger at block 3: the file may count layers otherwise"),
    ],
)
def test_what_is_concluded_of_a_layer(kls: dict[int, float], words: str) -> None:
    assert words in _concluded(kls, 2)
