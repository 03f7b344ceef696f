"""What an engine says of the model it holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dct_tui.engine.messages import ModelChoice
from dct_tui.engine.work.holder import Holder
from dct_tui.sessions.layout import RECORD_FILE


@pytest.fixture
def folder(make_llama: Callable[..., Path], tmp_path: Path) -> Path:
    return make_llama(tmp_path / "mine", seed=1)


@pytest.fixture
def holder(folder: Path) -> Holder:
    holder = Holder(lambda: None)
    holder.for_choice(ModelChoice(name=str(folder)), lambda *_: None)
    return holder


def test_a_model_whose_files_have_gone_suits_nothing(holder: Holder, folder: Path) -> None:
    choice = ModelChoice(name=str(folder))
    assert holder.suits_choice(choice)
    (weights,) = folder.glob("*.safetensors")
    weights.unlink()
    weights.symlink_to(folder / "nowhere")
    assert not holder.suits_choice(choice)


def test_another_session_in_the_same_folder_is_looked_at_anew(holder: Holder, folder: Path, tmp_path: Path) -> None:
    from dct_tui.api import fit, open_model

    path = tmp_path / "session"
    settings = {"source": 2, "target": 4, "factors": 2, "iterations": 1, "row_batch": 8, "scale": 4.0}
    session = fit(open_model(str(folder)), ["A.", "B.", "C."], session=path, **settings)
    assert holder.suits_session(path)
    record = (path / RECORD_FILE).read_bytes()
    (path / RECORD_FILE).unlink()
    (path / RECORD_FILE).write_bytes(record.replace(session.record.model.weights_sha256.encode(), b"0" * 64))
    assert not holder.suits_session(path)
