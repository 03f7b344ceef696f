from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from dct_tui.errors import DctError, SchemaTooNew, SessionDamaged
from dct_tui.sessions import Checkpoint, FitTensors
from dct_tui.sessions.tensors import read_checkpoint, read_fit, write_checkpoint, write_fit

D, M = 6, 4


def make_fit(**changes: Any) -> FitTensors:
    rng = np.random.default_rng(0)
    parts: dict[str, Any] = {
        "U": rng.standard_normal((D, M)).astype(np.float32),
        "V": rng.standard_normal((D, M)).astype(np.float32),
        "alpha": np.arange(M, dtype=np.float32),
        "scale": 2.5,
        "iteration": 3,
        "source": 2,
        "target": 5,
    }
    return FitTensors(**parts | changes)


def make_checkpoint() -> Checkpoint:
    arrays = {"V": np.ones((D, M), np.float32), "state.m": np.arange(3, dtype=np.float64)}
    return Checkpoint(2, arrays, {"row_batch": 16, "history": [{"objective": 1.5}]})


def test_fit_round_trip(tmp_path: Path) -> None:
    fit = make_fit(V=np.asfortranarray(make_fit().V))
    write_fit(tmp_path / "fit.safetensors", fit)
    back = read_fit(tmp_path / "fit.safetensors")
    for name in ("U", "V", "alpha"):
        assert getattr(back, name).dtype == np.float32
        np.testing.assert_array_equal(getattr(back, name), getattr(fit, name))
    assert (back.scale, back.iteration, back.source, back.target) == (2.5, 3, 2, 5)


def test_fit_opens_in_torch_with_its_metadata(tmp_path: Path) -> None:
    torch_files = pytest.importorskip("safetensors.torch")
    write_fit(tmp_path / "fit.safetensors", make_fit())
    arrays = torch_files.load_file(tmp_path / "fit.safetensors")
    assert arrays["V"].shape == (D, M)
    assert arrays["scale"].item() == 2.5
    with safetensors.safe_open(tmp_path / "fit.safetensors", "np") as file:
        assert file.metadata() == {"schema": "1", "iteration": "3", "source": "2", "target": "5"}


def test_checkpoint_round_trip(tmp_path: Path) -> None:
    checkpoint = make_checkpoint()
    write_checkpoint(tmp_path / "c.safetensors", checkpoint)
    back = read_checkpoint(tmp_path / "c.safetensors")
    assert (back.iteration, back.state) == (checkpoint.iteration, checkpoint.state)
    assert back.arrays.keys() == checkpoint.arrays.keys()
    for name, array in checkpoint.arrays.items():
        assert back.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(back.arrays[name], array)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_never_written(tmp_path: Path, bad: float) -> None:
    path = tmp_path / "fit.safetensors"
    write_fit(path, make_fit())
    before = path.read_bytes()
    V = make_fit().V
    V[0, 0] = bad
    with pytest.raises(DctError, match="V has values that are not finite"):
        write_fit(path, make_fit(V=V))
    with pytest.raises(DctError, match="iteration 2 cannot be saved: V has values"):
        write_checkpoint(path, Checkpoint(2, {"V": V}))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"V": np.ones((D, M + 1), np.float32)}, "do not belong together"),
        ({"alpha": np.ones((M, 1), np.float32)}, "do not belong together"),
        ({"scale": 0.0}, "scale is not one positive number"),
        ({"scale": float("nan")}, "scale"),
    ],
)
def test_shapes_that_do_not_fit_are_not_written(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DctError, match=words):
        write_fit(tmp_path / "fit.safetensors", make_fit(**changes))
    assert not list(tmp_path.iterdir())


def test_cut_at_every_byte_is_damage_or_whole(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.safetensors", tmp_path / "cut.safetensors"
    for write, read in ((write_fit, read_fit), (write_checkpoint, read_checkpoint)):
        write(whole, make_fit() if write is write_fit else make_checkpoint())  # type: ignore[operator]
        data = whole.read_bytes()
        for length in range(len(data)):
            cut.write_bytes(data[:length])
            with pytest.raises(SessionDamaged, match=r"cut\.safetensors is damaged"):
                read(cut)


@pytest.mark.parametrize(
    ("arrays", "metadata", "words"),
    [
        ({"V": np.ones((2, 2), np.float32)}, {"schema": "1"}, "should hold U, V, alpha and scale, not V"),
        ({"U": np.ones((2, 2)), "V": np.ones((2, 2))}, {"schema": "1"}, "should hold"),
        (None, {}, "schema should be"),
        (None, {"schema": "1", "iteration": "x", "source": "2", "target": "5"}, "iteration should be"),
        (None, {"schema": "1", "iteration": "1"}, "source should be"),
    ],
)
def test_other_contents_are_damage(
    tmp_path: Path, arrays: dict[str, Any] | None, metadata: dict[str, str], words: str
) -> None:
    fit = make_fit()
    whole = {"U": fit.U, "V": fit.V, "alpha": fit.alpha, "scale": np.float32(2.5).reshape(1)}
    path = tmp_path / "fit.safetensors"
    safetensors.numpy.save_file(arrays or whole, path, metadata)
    with pytest.raises(SessionDamaged, match=words):
        read_fit(path)


def test_float64_and_nan_in_a_fit_are_damage(tmp_path: Path) -> None:
    fit = make_fit()
    metadata = {"schema": "1", "iteration": "1", "source": "2", "target": "5"}
    arrays = {"U": fit.U, "V": fit.V, "alpha": fit.alpha, "scale": np.ones(1, np.float32)}
    path = tmp_path / "fit.safetensors"
    safetensors.numpy.save_file(arrays | {"V": fit.V.astype(np.float64)}, path, metadata)
    with pytest.raises(SessionDamaged, match="V is float64, not float32"):
        read_fit(path)
    safetensors.numpy.save_file(arrays | {"U": fit.U * np.float32("nan")}, path, metadata)
    with pytest.raises(SessionDamaged, match="U has values that are not finite"):
        read_fit(path)


def test_types_numpy_does_not_have_are_damage(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    save_file({"V": torch.ones(2, dtype=torch.bfloat16)}, tmp_path / "c.safetensors", {"schema": "1"})
    with pytest.raises(SessionDamaged):
        read_checkpoint(tmp_path / "c.safetensors")


def test_a_newer_schema_is_told(tmp_path: Path) -> None:
    safetensors.numpy.save_file({"x": np.ones(1)}, tmp_path / "f.safetensors", {"schema": "2"})
    with pytest.raises(SchemaTooNew):
        read_fit(tmp_path / "f.safetensors")
    with pytest.raises(SchemaTooNew):
        read_checkpoint(tmp_path / "f.safetensors")


def test_missing_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SessionDamaged, match="is missing; run the fit"):
        read_fit(tmp_path / "fit.safetensors")


def test_a_full_disk_keeps_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "checkpoint.safetensors"
    write_checkpoint(path, make_checkpoint())

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DctError, match=r"no room to write checkpoint\.safetensors"):
        write_checkpoint(path, Checkpoint(3, {"V": np.zeros((D, M), np.float32)}))
    assert read_checkpoint(path).iteration == 2
