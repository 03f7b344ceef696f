"""Exports that an engine makes or verifies, on the tiny Llama."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import orjson
import pytest
from engine_tools import ENDLESS
from safetensors.numpy import load_file

from dct_tui.engine.client import EngineClient
from dct_tui.engine.messages import Export, FitChoice, ModelChoice, StartFit
from dct_tui.engine.scheduler import Stop
from dct_tui.engine.work.exporting import export
from dct_tui.errors import DctError
from dct_tui.export import write_exports
from dct_tui.export.selection import selected_vectors, session_context
from dct_tui.sessions import Session
from dct_tui.sessions.rack import RackEntry
from dct_tui.sessions.selection import Selection

ABLATED = Selection(features=(1, 3), role="ablate", direction="output")


@pytest.fixture(scope="module")
def fitted_once(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from dct_tui.api import fit, open_model

    folder = tmp_path_factory.mktemp("sessions") / "fitted"
    settings: dict[str, Any] = {"source": 2, "target": 4, "factors": 4, "iterations": 1, "row_batch": 8, "scale": 4.0}
    fit(open_model(str(llama)), ("Tell me of the sea.", "What is rain?", "A town."), session=folder, **settings)
    return folder


@pytest.fixture
def session(fitted_once: Path, tmp_path: Path) -> Session:
    return Session.open(shutil.copytree(fitted_once, tmp_path / "fitted"))


def asked(session: Session, folder: Path, **changes: Any) -> Export:
    request = Export(session=str(session.path), vectors=ABLATED, formats=("lora", "model"), folder=str(folder))
    return replace(request, **changes)


async def test_what_it_writes_has_the_directions_taken_out(
    client: EngineClient, session: Session, llama: Path, tmp_path: Path
) -> None:
    job = client.begin(asked(session, tmp_path / "out"))
    stages = [(event["stage"], event["done"], event["of"]) async for event in job if event["stage"] == "writing"]
    files = [Path(file["path"]) for file in (await job.result())["files"]]
    assert stages[0] == ("writing", 0, 2)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "fitted-2-vectors-lora", "fitted-2-vectors-model"
    ]  # fmt: skip
    assert all(path.is_file() for path in files) and {path.name for path in files} >= {"adapter_model.safetensors"}
    before, after = (load_file(folder / "model.safetensors") for folder in (llama, tmp_path / "out" / files[-1].parent))
    span = session.read_fit().U[:, [1, 3]].astype(np.float64)
    name = "model.layers.1.mlp.down_proj.weight"
    assert np.abs(span.T @ before[name]).max() > 1e-2 and np.abs(span.T @ after[name]).max() < 1e-6
    with pytest.raises(DctError, match="is there already"):
        await client.ask(asked(session, tmp_path / "out"))


async def test_what_was_written_is_verified_with_the_model(
    client: EngineClient, session: Session, tmp_path: Path
) -> None:
    rack = Selection(rack=(RackEntry(features=(2,), strength=2.0), RackEntry(features=(0,), on=False)))
    request = asked(session, tmp_path, vectors=rack, formats=("gguf", "python"), verify=True)
    with pytest.raises(DctError, match=r"fitted-feature-2\.gguf is not there; write it first"):
        await client.ask(request)
    for name in request.formats:
        write_exports(name, selected_vectors(session, rack), session_context(session), tmp_path)
    job = client.begin(request)
    stages = [(event["done"], event["of"]) async for event in job if event["stage"] == "verifying"]
    checks = (await job.result())["checks"]
    assert stages[0] == (0, 2) and all(check["passed"] for check in checks)
    assert {(Path(check["path"]).suffix, check["what"]) for check in checks} >= {(".gguf", "logits"), (".py", "logits")}
    noted = orjson.loads((tmp_path / "receipt.json").read_bytes())["exports"]["fitted-feature-2.gguf"]["verified"]
    assert [check["passed"] for check in noted] == [True] * len(noted)
    # The values of another vector under the same name.
    other = [replace(vector, vector=vector.vector[::-1].copy()) for vector in selected_vectors(session, rack)]
    (wrong,) = write_exports("gguf", other, session_context(session), tmp_path / "other")
    shutil.copyfile(wrong.path, tmp_path / "fitted-feature-2.gguf")
    checks = (await client.ask(replace(request, formats=("gguf",))))["checks"]
    assert any(check["passed"] is False for check in checks)


async def test_one_that_waits_for_a_fit_is_stopped(
    client: EngineClient, session: Session, model: ModelChoice, choice: Any, tmp_path: Path
) -> None:
    running: FitChoice = choice(iterations=ENDLESS)
    fit = client.begin(StartFit(model=model, fit=running, session=str(tmp_path / "running")))
    async for event in fit:
        if event.get("stage") == "fit":
            break
    job = client.begin(asked(session, tmp_path / "out"))
    await job.cancel()
    with pytest.raises(DctError, match="stopped"):
        await job.result()
    await fit.cancel()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", ["lora", "model"])
def test_stopped_in_its_midst_it_leaves_nothing(session: Session, llama: Path, tmp_path: Path, form: str) -> None:
    from dct_tui.models.loading import open_model

    lm = open_model(str(llama), device="cpu")
    before = {name: tensor.clone() for name, tensor in lm.model.state_dict().items()}
    looked = 0

    def check() -> None:
        nonlocal looked
        looked += 1
        # Whoever is let before us here must find the model as it is.
        assert all(bool((tensor == before[name]).all()) for name, tensor in lm.model.state_dict().items())
        if looked == 2:
            raise Stop

    desk: Any = SimpleNamespace(model_of=lambda session: lm, stage=lambda *_: None, check=check)
    with pytest.raises(Stop):
        export(asked(session, tmp_path / "out", formats=(form,)), desk)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fitted"]
