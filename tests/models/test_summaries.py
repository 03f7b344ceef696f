from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save_file

from dct_tui.models.catalog import find_model, list_models
from dct_tui.models.checkpoint import read_checkpoint
from dct_tui.models.loading import LanguageModel
from dct_tui.models.shape import read_shape
from dct_tui.models.summary import ModelSummary, summarise

Folder = Callable[[str], Path]
Opened = Callable[[str], LanguageModel]


def summary_of(folder: Path) -> ModelSummary:
    return summarise(find_model(str(folder)))


@pytest.mark.parametrize("family", ["Llama", "GPT-2", "Gemma 3 text", "Mixtral", "Qwen3"])
def test_parameters_are_those_of_the_open_model(folder_of: Folder, opened: Opened, family: str) -> None:
    lm, summary = opened(family), summary_of(folder_of(family))
    # Tied weights are one parameter, and are stored once.
    assert summary.parameters == sum(parameter.numel() for parameter in lm.model.parameters())
    assert (summary.depth, summary.width) == (lm.depth, lm.width)
    assert summary.vocabulary == lm.vocabulary and summary.context == lm.context
    assert summary.problem == "" and summary.quantised is None and summary.modified > 0


def test_what_a_token_meets_in_a_block(folder_of: Folder, opened: Opened) -> None:
    blocks = opened("Llama").anatomy.blocks
    assert read_shape(find_model(str(folder_of("Llama")))).block_weights == sum(
        p.numel() for p in blocks[0].parameters()
    )
    mixture, shape = opened("Mixtral"), read_shape(find_model(str(folder_of("Mixtral"))))
    config = mixture.model.config
    share = config.num_experts_per_tok / config.num_local_experts
    one = [(name, parameter.numel()) for name, parameter in mixture.anatomy.blocks[0].named_parameters()]
    met = sum(count * (share if "experts." in name else 1) for name, count in one)
    assert shape.block_weights == pytest.approx(met)


def test_packed_weights_are_counted_as_what_they_stand_for(model_folder: Path) -> None:
    config = json.loads((model_folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "gptq", "bits": 4}
    (model_folder / "config.json").write_text(json.dumps(config))
    tensors = {
        "model.layers.0.q.qweight": torch.zeros(8, 16, dtype=torch.int32),
        "model.layers.0.q.qzeros": torch.zeros(4, 4, dtype=torch.int32),
        "model.layers.0.q.scales": torch.zeros(4, 4, dtype=torch.float16),
        "model.norm.weight": torch.zeros(16, dtype=torch.float16),
    }
    save_file(tensors, model_folder / "model.safetensors")
    summary = summary_of(model_folder)
    assert summary.parameters == 8 * 16 * 8 + 16 and summary.quantised == "gptq 4-bit"


def test_weights_that_lie_there_twice_count_once(model_folder: Path) -> None:
    before = summary_of(model_folder)
    shutil.copy(model_folder / "model.safetensors", model_folder / "consolidated.safetensors")
    after = summary_of(model_folder)
    assert (after.parameters, after.bytes) == (before.parameters, before.bytes)


def test_shards_are_added_up_and_a_missing_one_is_named(model_folder: Path) -> None:
    whole = summary_of(model_folder)
    (model_folder / "model.safetensors").unlink()
    halves = {"model-1.safetensors": {"a": torch.zeros(3, 4)}, "model-2.safetensors": {"b": torch.zeros(5)}}
    for name, tensors in halves.items():
        save_file(tensors, model_folder / name)
    index = {"weight_map": {tensor: name for name, tensors in halves.items() for tensor in tensors}}
    (model_folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert summary_of(model_folder).parameters == 17 != whole.parameters
    (model_folder / "model-2.safetensors").unlink()
    broken = summary_of(model_folder)
    assert broken.problem == "model-2.safetensors is missing" and broken.depth == whole.depth


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda f: (f / "config.json").unlink(), "no config.json"),
        (lambda f: (f / "config.json").write_text("{"), "config.json is not JSON"),
        (lambda f: (f / "config.json").write_text("[]"), "config.json is not an object"),
        (lambda f: (f / "model.safetensors").unlink(), "no safetensors weights"),
        (lambda f: (f / "model.safetensors").write_bytes(b"x" * 99), "model.safetensors is damaged"),
        (lambda f: (f / "model.safetensors").write_bytes(b""), "model.safetensors is damaged"),
        (lambda f: _cut(f / "model.safetensors"), "model.safetensors is cut short"),
        (lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"), "only pickled weights (.bin)"),
        (lambda f: (f / "config.json").write_text('{"architectures": ["BertModel"]}'), "a BertModel, not a causal"),
        (lambda f: (f / "config.json").write_text('{"hidden_size": "wide", "architectures": 3}'), ""),
    ],
)
def test_broken_folders_say_what_is_wrong(model_folder: Path, spoil: Callable[[Path], object], problem: str) -> None:
    spoil(model_folder)
    found = summary_of(model_folder).problem
    assert found.startswith(problem) and bool(found) == bool(problem)


def test_headers_that_lie_are_no_crash(model_folder: Path) -> None:
    for header in (b"[]", b'{"a": 3}', b'{"a": {"dtype": "F32", "shape": ["x"], "data_offsets": [0, 4]}}', b"\xff"):
        data = len(header).to_bytes(8, "little") + header + bytes(4)
        (model_folder / "model.safetensors").write_bytes(data)
        assert read_checkpoint(model_folder).problem == "model.safetensors is damaged"


def test_the_cache_is_listed_by_what_main_points_at(
    tmp_path: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    repository = tmp_path / "hub" / "models--someone--tiny"
    for commit in ("aaa", "bbb"):
        shutil.copytree(model_folder, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("aaa")
    (tmp_path / "hub" / "models--someone--nothing" / "snapshots").mkdir(parents=True)
    (tmp_path / "hub" / "datasets--a--b").mkdir()
    assert [(source.name, source.commit) for source in list_models()] == [("builtin", None), ("someone/tiny", "aaa")]
    assert find_model("someone/tiny").commit == "aaa"


def test_without_a_cache_the_built_in_model_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "none"))
    assert [source.name for source in list_models()] == ["builtin"]


@pytest.mark.parametrize(
    ("dtype", "shape", "stop"), [("F32", [2**40, 2**40], 16), ("F32", [2, 2], 8), ("NEW", [2**70], 16)]
)
def test_sizes_that_a_header_makes_up_are_refused(tmp_path: Path, dtype: str, shape: list[int], stop: int) -> None:
    header = json.dumps({"w": {"dtype": dtype, "shape": shape, "data_offsets": [0, stop]}}).encode()
    (tmp_path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(stop))
    found = read_checkpoint(tmp_path)
    assert found.problem == "model.safetensors is damaged" and found.tensors == ()
