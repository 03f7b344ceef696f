"""What cannot be opened is refused in one line that says what is wrong, and what to do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForMaskedLM, T5Config, ViTConfig

from benchmarks.zoo import make_model, save_family
from benchmarks.zoo_table import FAMILIES
from dct_tui.errors import DctError
from dct_tui.models.loading import open_model


def refusal(folder: object, **options: object) -> str:
    with pytest.raises(DctError) as caught:
        open_model(str(folder), device="cpu", **options)  # type: ignore[arg-type]
    assert caught.value.hint, "an error says what to do"
    assert "\n" not in str(caught.value)
    return str(caught.value)


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), **changes}))


def test_no_such_model(tmp_path: Path) -> None:
    assert "there is no model" in refusal("nobody/has-this-one")
    assert "there is no model folder" in refusal(tmp_path / "not here")


def test_a_file_is_no_folder(model_folder: Path) -> None:
    assert "is a file" in refusal(model_folder / "config.json")


def test_a_folder_without_rights(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the system answers: whoever runs the tests may have all rights."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "may not be read by you" in refusal(model_folder)


def test_a_folder_without_config(model_folder: Path) -> None:
    (model_folder / "config.json").unlink()
    assert "config.json" in refusal(model_folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"model_type": "no_such_architecture"}', b"\xff\xfe\x00"])
def test_a_damaged_config(model_folder: Path, content: bytes) -> None:
    (model_folder / "config.json").write_bytes(content)
    assert "config" in refusal(model_folder)


@pytest.mark.parametrize(
    ("config", "architecture"),
    [
        (BertConfig, "BertForMaskedLM"),
        (ViTConfig, "ViTForImageClassification"),
        (T5Config, "T5ForConditionalGeneration"),
    ],
)
def test_what_is_no_causal_language_model(model_folder: Path, config: type, architecture: str) -> None:
    (model_folder / "config.json").unlink()
    config(architectures=[architecture]).save_pretrained(model_folder)
    message = refusal(model_folder)
    assert "not a causal language model" in message
    assert architecture in message


def test_a_model_that_looks_ahead_is_no_causal_language_model(model_folder: Path) -> None:
    # A config that does not name its head: only its behaviour tells.
    size = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 32}
    torch.manual_seed(0)
    config = BertConfig(**size, vocab_size=128, max_position_embeddings=64, initializer_range=0.3)
    BertForMaskedLM(config).save_pretrained(model_folder)
    change_config(model_folder, architectures=None)
    assert "looks ahead" in refusal(model_folder)


@pytest.mark.parametrize("name", ["Gemma 3n", "HRM"])
def test_an_architecture_that_cannot_be_served(folder_of: Callable[[str], Path], name: str) -> None:
    assert "this architecture is not supported" in refusal(folder_of(name))


def test_a_folder_without_tokenizer(model_folder: Path) -> None:
    for file in model_folder.glob("tokenizer*"):
        file.unlink()
    assert "has no tokenizer" in refusal(model_folder)


@pytest.mark.parametrize("content", [b"", b"{}", b"not JSON"])
def test_a_damaged_tokenizer(model_folder: Path, content: bytes) -> None:
    (model_folder / "tokenizer.json").write_bytes(content)
    assert "tokenizer" in refusal(model_folder)


def test_a_tokenizer_of_a_larger_model(model_folder: Path, llama: Path) -> None:
    shutil.copy(llama / "tokenizer.json", model_folder)  # its ids go up to 260
    assert "tokenizer" in refusal(model_folder)


def test_a_folder_without_weights(model_folder: Path) -> None:
    (model_folder / "model.safetensors").unlink()
    assert "has no weights" in refusal(model_folder)


def test_pickled_weights_are_read_only_on_demand(model_folder: Path) -> None:
    weights = load_file(model_folder / "model.safetensors")
    (model_folder / "model.safetensors").unlink()
    torch.save(weights, model_folder / "pytorch_model.bin")
    assert "--allow-pickle" in refusal(model_folder)
    lm = open_model(str(model_folder), device="cpu", allow_pickle=True)
    assert torch.equal(lm.model.get_input_embeddings().weight, weights["model.embed_tokens.weight"])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["model.layers.3.mlp.down_proj.weight", "model.embed_tokens.weight"])
def test_weights_that_are_not_finite(model_folder: Path, name: str, value: float) -> None:
    weights = load_file(model_folder / "model.safetensors")
    weights[name][-1, -1] = value
    save_file(weights, model_folder / "model.safetensors", metadata={"format": "pt"})
    message = refusal(model_folder)
    assert name in message
    assert "NaN or infinity" in message


@pytest.mark.parametrize("kept", [0, 4, 100, 20_000])
def test_cut_off_weights(model_folder: Path, kept: int) -> None:
    path = model_folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    assert "cannot be opened" in refusal(model_folder)


def test_a_missing_shard(tmp_path: Path, folder_of: Callable[[str], Path]) -> None:
    folder = shutil.copytree(folder_of("Llama"), tmp_path / "sharded")
    (folder / "model.safetensors").unlink()
    make_model(FAMILIES[0]).save_pretrained(folder, max_shard_size="100KB")
    shards = sorted(folder.glob("model-*.safetensors"))
    assert len(shards) > 1
    open_model(str(folder), device="cpu")
    shards[1].unlink()
    assert shards[1].name in refusal(folder)


def test_weights_that_lack_a_matrix(model_folder: Path) -> None:
    weights = load_file(model_folder / "model.safetensors")
    del weights["model.layers.2.self_attn.o_proj.weight"]
    save_file(weights, model_folder / "model.safetensors", metadata={"format": "pt"})
    assert "model.layers.2.self_attn.o_proj.weight" in refusal(model_folder)


def test_weights_of_another_size(model_folder: Path) -> None:
    change_config(model_folder, intermediate_size=32)
    assert "cannot be opened" in refusal(model_folder)


def test_code_that_comes_with_a_model_is_not_run(model_folder: Path) -> None:
    (model_folder / "evil.py").write_text("raise SystemExit('this ran')\n")
    change_config(
        model_folder, model_type="evil", auto_map={"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.M"}
    )
    assert "--trust-remote-code" in refusal(model_folder)


def test_the_zoo_is_saved_as_it_is_made(tmp_path: Path) -> None:
    folder = save_family(FAMILIES[0], tmp_path)
    saved = load_file(folder / "model.safetensors")
    made = dict(make_model(FAMILIES[0]).named_parameters())
    assert all(torch.equal(saved[name], parameter) for name, parameter in made.items())


def test_a_config_of_fewer_blocks_than_the_weights(model_folder: Path) -> None:
    change_config(model_folder, num_hidden_layers=3)
    assert "more blocks than the 3 of its config" in refusal(model_folder)


def test_no_such_dtype(model_folder: Path) -> None:
    assert "choose auto or one of bf16, fp16, fp32" in refusal(model_folder, dtype="int8")


def test_end_tokens_that_are_no_ids(model_folder: Path) -> None:
    (model_folder / "generation_config.json").write_text('{"eos_token_id": ["x"]}')
    assert "end tokens" in refusal(model_folder)
