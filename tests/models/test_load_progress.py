from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
from transformers import PreTrainedModel
from transformers.utils import logging as transformers_logging

from dct_tui.errors import DctError
from dct_tui.models.loading import open_model

STAGES = ["config", "tokenizer", "weights", "device", "proving"]


def models_in_memory() -> int:
    gc.collect()
    return sum(isinstance(thing, PreTrainedModel) for thing in gc.get_objects())


def test_stages_come_in_order_and_weights_are_counted(llama: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told: list[tuple[str, int, int]] = []
    lm = open_model(str(llama), device="cpu", on_progress=lambda *event: told.append(event))
    assert list(dict.fromkeys(stage for stage, _, _ in told)) == STAGES
    weights = [(done, of) for stage, done, of in told if stage == "weights"]
    assert weights[-1][0] == weights[-1][1] == len(lm.model.state_dict())
    assert [done for done, _ in weights] == sorted(done for done, _ in weights)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("error", [DctError("it was stopped"), KeyboardInterrupt(), RuntimeError("odd")])
def test_what_the_listener_raises_ends_the_loading(llama: Path, stage: str, error: BaseException) -> None:
    before = models_in_memory()

    def stop(at: str, done: int, of: int) -> None:
        if at == stage and (stage != "weights" or done == 3):
            raise error

    with pytest.raises(type(error)) as raised:
        open_model(str(llama), device="cpu", on_progress=stop)
    assert raised.value is error, "as it was raised, and not as a fault of the model"
    # While the error is still at hand: its traceback must not keep the weights.
    assert models_in_memory() == before
    assert transformers_logging.set_tqdm_hook(None) is None, "others' bars are theirs again"


def test_a_model_that_is_refused_stays_in_no_memory(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[weakref.ref[PreTrainedModel]] = []

    def refuse(model: PreTrainedModel) -> None:
        seen.append(weakref.ref(model))
        raise DctError("not this one")

    monkeypatch.setattr("dct_tui.models.loading.find_anatomy", refuse)
    with pytest.raises(DctError, match="not this one"):
        open_model(str(llama), device="cpu")
    gc.collect()
    assert seen[0]() is None
