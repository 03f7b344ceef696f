from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from dct_tui.errors import DctError
from dct_tui.jobs.forecast_job import forecast_request
from dct_tui.jobs.request import FitRequest, encode_prompts, prompt_set
from dct_tui.models import forecast as forecasting
from dct_tui.models import machine
from dct_tui.models.catalog import find_model
from dct_tui.models.forecast import FitSize, forecast
from dct_tui.models.loading import LanguageModel
from dct_tui.models.shape import read_shape
from dct_tui.models.slice_delta import SliceDelta
from dct_tui.models.slices import LayerRange

Folder = Callable[[str], Path]
Opened = Callable[[str], LanguageModel]
TEXTS = ["one two three", "four five six seven", "a", "where is the swan?"]


def request(**changes: Any) -> FitRequest:
    return replace(FitRequest(prompts=prompt_set(TEXTS, ["b"], None, 0), factors=4, iterations=2), **changes)


@pytest.fixture(autouse=True)
def known_speed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device of a known speed, and free memory enough: what is forecast is then arithmetic."""
    monkeypatch.setattr(machine, "_measure", lambda *_: machine.Speed(1e-6, 3e-6))
    monkeypatch.setattr(forecasting, "available_bytes", lambda device: 10**12)


def test_the_weights_are_those_of_the_open_model(folder_of: Folder, opened: Opened) -> None:
    folder = str(folder_of("Llama"))
    weights = sum(parameter.numel() for parameter in opened("Llama").model.parameters())
    assert forecast(folder, device="cpu").load_bytes == 4 * weights
    assert forecast(folder, device="cpu", dtype="bf16").load_bytes == 2 * weights
    assert forecast(folder, device="cpu").fit_bytes is None


def test_rows_are_those_that_the_fit_takes(folder_of: Folder, opened: Opened) -> None:
    lm = opened("Llama")
    prompts = encode_prompts(lm, TEXTS, None)
    delta = SliceDelta(lm, prompts, LayerRange(1, 3))
    size = FitSize(
        layers=LayerRange(1, 3),
        method="exponential",
        factors=10**6,
        iterations=1,
        tokens=[len(ids) for ids in prompts],
        judged=[],
    )
    shape = read_shape(find_model(str(folder_of("Llama"))))
    assert forecasting._row_batch(shape, size, "float32", "cpu", 0) == delta.suggested_rows()


@contextmanager
def counting(kept: list[int], own: set[int]) -> Iterator[None]:
    """Counts the bytes that a graph keeps, weights aside, each storage once."""
    alive: dict[int, torch.Tensor] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own and storage.data_ptr() not in alive:
            alive[storage.data_ptr()] = tensor
            kept.append(storage.nbytes())
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        yield


@pytest.mark.parametrize("family", ["Llama", "Qwen3", "Mixtral"])
def test_a_block_keeps_about_what_is_forecast(folder_of: Folder, opened: Opened, family: str) -> None:
    lm = opened(family)
    layers = LayerRange(0, lm.depth)
    delta = SliceDelta(lm, [list(range(5, 45))] * 2, layers)
    own = {weight.untyped_storage().data_ptr() for weight in [*lm.model.parameters(), *lm.model.buffers()]}
    kept: list[int] = []
    with counting(kept, own):
        delta.outputs(torch.zeros(8, lm.width, requires_grad=True))
    shape = read_shape(find_model(str(folder_of(family))))
    a_block = shape.width * forecasting.KEPT_OF_WIDTH + shape.inner * forecasting.KEPT_OF_INNER
    assert 4 * 8 * 80 * lm.depth * a_block == pytest.approx(sum(kept), rel=0.5)


def test_time_goes_by_factors_iterations_and_blocks(llama: Path) -> None:
    def seconds(**changes: Any) -> float:
        found = forecast_request(str(llama), request(source=1, target=2, scale=1.0, **changes), device="cpu").seconds
        assert found is not None
        return found - forecasting.STARTING_S

    once = seconds()
    assert seconds(factors=8) == pytest.approx(2 * once)
    # start, two iterations: three passes with a backward one; four iterations: five.
    assert seconds(iterations=4) - once == pytest.approx(2 * (seconds(iterations=3) - once))
    wide = forecast_request(str(llama), request(source=1, target=4, scale=1.0), device="cpu").seconds
    calibrated = forecast_request(str(llama), request(source=1, target=2), device="cpu").seconds
    assert wide is not None and wide > once and calibrated is not None and calibrated > once


def test_without_a_speed_no_time_is_said(llama: Path) -> None:
    assert forecast_request(str(llama), request(), device="cpu", measure=False).seconds is None
    assert forecast_request(str(llama), request(), device="cpu").seconds is not None
    # Now it is known, and kept.
    assert forecast_request(str(llama), request(), device="cpu", measure=False).seconds is not None


def test_a_spoilt_file_of_speeds_is_measured_anew(llama: Path, home: Path) -> None:
    first = forecast_request(str(llama), request(), device="cpu").seconds
    for text in (b"", b"[]", orjson.dumps(dict.fromkeys(orjson.loads((home / "speeds.json").read_bytes()), 3))):
        (home / "speeds.json").write_bytes(text)
        assert forecast_request(str(llama), request(), device="cpu").seconds == first


def test_what_does_not_fit_is_said(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plenty = forecast_request(str(llama), request(), device="cpu")
    assert plenty.fits and plenty.notes == ()
    monkeypatch.setattr(forecasting, "available_bytes", lambda device: plenty.load_bytes // 2)
    none = forecast_request(str(llama), request(), device="cpu")
    assert not none.fits and none.notes[0] == "does not fit"
    assert forecast_request(str(llama), request(), device="cpu", freed=10**12).fits
    assert plenty.fit_bytes is not None
    monkeypatch.setattr(forecasting, "available_bytes", lambda device: plenty.fit_bytes)
    almost = forecast_request(str(llama), request(), device="cpu")
    assert not almost.fits and almost.notes[0] == "opens, but the fit does not fit"


@pytest.mark.parametrize(
    ("changes", "message"), [({"dtype": "int3"}, "no dtype"), ({"device": "cuda:99"}, "no device cuda:99")]
)
def test_wrong_choices(llama: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], message: str) -> None:
    monkeypatch.setattr(forecasting, "available_bytes", machine.available_bytes)
    with pytest.raises(DctError, match=message):
        forecast(str(llama), **changes)  # type: ignore[arg-type]


def test_settings_that_cannot_be_fitted_are_refused_before_loading(llama: Path) -> None:
    with pytest.raises(DctError, match="no block 40"):
        forecast_request(str(llama), request(source=40), device="cpu")
    with pytest.raises(DctError, match="orthogonal directions"):
        forecast_request(str(llama), request(factors=4000), device="cpu")


def test_a_device_is_measured_in_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(machine, "WORK", {"cpu": 1e7, "cuda": 1e7})
    found = machine._measure("cpu", torch.float32, 64, 128, 4, 8, 4)
    assert 0 < found.forward < found.both
