from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dct_tui.sessions import Session

FIT = ("--source", 2, "--target", 4, "--factors", 4, "--iterations", 2, "--row-batch", 8)


@pytest.mark.parametrize("method", ["exponential", "quadratic", "linear", "projected", "melbo", "random"])
def test_every_method_fits_describes_and_reports(dct: Any, llama: Path, prompts: Path, home: Path, method: str) -> None:
    done = dct("fit", llama, "--prompts", prompts, *FIT, "--method", method, "--json")
    assert done.code == 0, done.err
    (figures,) = done.json
    assert {"status": "fitted", "method": method, "factors": 4, "source": 2, "target": 4}.items() <= figures.items()
    session = Session.open(Path(figures["session"]))
    assert session.path.parent == home / "sessions"
    assert session.read_fit().V.shape == (32, 4)
    assert [feature["index"] for feature in session.read_features()] == [0, 1, 2, 3]
    assert len(session.record.prompts.fit) == 4 and len(session.record.prompts.validation) == 1


@pytest.mark.parametrize("orthogonalisation", ["polar", "qr", "soft"])
def test_every_orthogonalisation_fits(dct: Any, llama: Path, tmp_path: Path, orthogonalisation: str) -> None:
    more_than_width = "40" if orthogonalisation == "soft" else "4"
    done = dct(
        *("fit", llama, "--prompt", "Hello.", *FIT, "--factors", more_than_width, "--scale", 3, "--json"),
        *("--orthogonalisation", orthogonalisation, "--session", tmp_path / "one"),
    )
    assert done.json[0]["factors"] == int(more_than_width)
    assert done.json[0]["scale"] == 3


def test_the_same_fit_twice_gives_identical_tensors(dct: Any, llama: Path, prompts: Path, tmp_path: Path) -> None:
    fits = []
    for name in ("one", "two"):
        assert dct("fit", llama, "--prompts", prompts, *FIT, "--session", tmp_path / name).code == 0
        fits.append(Session.open(tmp_path / name).read_fit())
    for tensor in ("U", "V", "alpha"):
        assert np.array_equal(getattr(fits[0], tensor), getattr(fits[1], tensor))
    assert fits[0].scale == fits[1].scale


def test_the_record_says_what_was_done(dct: Any, llama: Path, prompts: Path, tmp_path: Path) -> None:
    settings = ("--system", "Be brief.", "--positions", 2, "--seed", 5, "--dtype", "bf16", "--scale", 2.5)
    assert dct("fit", llama, "--prompts", prompts, *FIT, *settings, "--session", tmp_path / "s").code == 0
    record = Session.open(tmp_path / "s").record
    assert (record.model.spec, record.model.path) == (str(llama), str(llama))
    assert (record.model.dtype, record.model.device, record.model.model_type) == ("bfloat16", "cpu", "llama")
    assert (record.fit.scale, record.fit.seed, record.fit.target_positions) == (2.5, 5, 2)
    assert record.fit.options == {"radii": [1.0, 1.4, 0.8, 1.8]}
    assert (record.row_batch, record.prompts.system, record.status) == (8, "Be brief.", "fitted")
    assert {"dct-tui", "python", "torch", "transformers"} <= record.versions.keys()


def test_what_is_printed_says_what_to_do_next(dct: Any, llama: Path, prompts: Path, tmp_path: Path) -> None:
    done = dct("fit", llama, "--prompts", prompts, *FIT, "--session", tmp_path / "a folder")
    assert len(done.out.splitlines()) == 2
    assert f"dct-tui features '{tmp_path / 'a folder'}'" in done.out
    assert "iteration 2/2" in done.err and "calibrated R" in done.err


def test_a_validation_file_leaves_all_prompts_to_the_fit(dct: Any, llama: Path, prompts: Path, tmp_path: Path) -> None:
    held = tmp_path / "held.jsonl"
    held.write_text('{"prompt": "Judge this."}\n"And this."\n')
    assert dct("fit", llama, "--prompts", prompts, "--validation", held, *FIT, "--session", tmp_path / "s").code == 0
    record = Session.open(tmp_path / "s").record
    assert record.prompts.validation == ("Judge this.", "And this.")
    assert len(record.prompts.fit) == 5


def test_defaults_fit_the_model(dct: Any, llama: Path, tmp_path: Path) -> None:
    done = dct("fit", llama, "--prompt", "Hi.", "--iterations", 1, "--session", tmp_path / "s", "--json")
    assert {"factors": 32, "source": 1, "target": 4, "method": "exponential"}.items() <= done.json[0].items()
