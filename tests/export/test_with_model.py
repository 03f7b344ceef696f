"""Exports with a model open: what readers make of the files, against edits and hooks made by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedModel

from benchmarks.family_reference import edited_copy, forward, plus, rewritten
from benchmarks.zoo import save_family
from benchmarks.zoo_table import FAMILIES
from dct_tui.errors import DctError
from dct_tui.export import FORMATS, Check, ExportContext, Exported, ExportOptions, ExportVector
from dct_tui.jobs.edit_job import export_with_model
from dct_tui.jobs.verify_job import verify_exports
from dct_tui.models.language_model import LanguageModel
from dct_tui.models.loading import open_model

FAMILY = {family.name: family for family in FAMILIES}
IDS = [5, 9, 12, 7, 30, 22]
LLAMA = ("o_proj", "down_proj")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], LanguageModel]:
    """A tiny random model of a family of the zoo. Left as it is found."""

    @cache
    def make(name: str) -> LanguageModel:
        return open_model(str(save_family(FAMILY[name], tmp_path_factory.mktemp("zoo"))), device="cpu")

    return make


def context_of(lm: LanguageModel) -> ExportContext:
    return ExportContext(
        name="s", model=lm.source.name, commit=None, model_type=lm.model.config.model_type, depth=lm.depth,
        width=lm.width, source=3, target=5, method="linear", seed=0,
    )  # fmt: skip


def vector_of(lm: LanguageModel, number: int = 0, **changes: Any) -> ExportVector:
    v = np.random.default_rng(number).standard_normal(lm.width).astype(np.float32)
    parts: dict[str, Any] = {"name": f"feature {number}", "vector": v / np.linalg.norm(v), "scale": 4.0, "source": 3}
    return ExportVector(**parts | changes)


def export(lm: LanguageModel, form: str, folder: Path, *vectors: ExportVector, **options: bool) -> list[Exported]:
    return export_with_model(lm, form, vectors, context_of(lm), folder, ExportOptions(**options))


def tensors(model: PreTrainedModel) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def unchanged(model: PreTrainedModel, before: dict[str, Tensor]) -> bool:
    after = model.state_dict()
    return list(after) == list(before) and all(torch.equal(after[name], before[name]) for name in before)


def logits(checks: list[Check]) -> Check:
    (one,) = [check for check in checks if check.what == "logits"]
    return one


def reopened(exported: Exported) -> PreTrainedModel:
    model, report = AutoModelForCausalLM.from_pretrained(exported.path, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    return model.eval()


def test_every_format_is_verified_against_our_hooks(opened: Any, tmp_path: Path) -> None:
    lm = opened("Mistral, sliding")
    before = tensors(lm.model)
    for name, form in FORMATS.items():
        for role in form.roles:
            if (name, role) == ("model", "add"):
                continue  # Mistral has no bias.
            exports = export(lm, name, tmp_path / name / role, vector_of(lm, 1, role=role), vector_of(lm, 2, role=role))
            for checks in verify_exports(lm, exports, context_of(lm)):
                assert all(check.passed for check in checks), checks
                assert logits(checks).figures["kl_unsteered_max"] > 30 * logits(checks).figures["kl_max"]
                assert any(check.what == "read back" and check.reader for check in checks)
            receipt = orjson.loads((exports[0].files[0].path.parent / "receipt.json").read_bytes())
            entry = receipt["exports"][exports[0].path.name]
            assert [check["what"] for check in entry["verified"]].count("logits") == 1
    assert unchanged(lm.model, before)


def test_a_file_that_does_something_else_is_not_passed(opened: Any, tmp_path: Path) -> None:
    lm = opened("Mistral, sliding")
    for form in ("gguf", "steering-vectors", "python", "safetensors"):
        (right,) = export(lm, form, tmp_path / "right", vector_of(lm, 1))
        (wrong,) = export(lm, form, tmp_path / "wrong", vector_of(lm, 1, source=4))
        swapped = dataclasses.replace(right, path=wrong.path)
        (checks,) = verify_exports(lm, [swapped], context_of(lm))
        assert any(check.passed is False for check in checks), form


@pytest.mark.parametrize(
    ("family", "matrices"), [("Qwen3", LLAMA), ("Llama", LLAMA), ("GPT-2", ("c_proj",)), ("Phi", ("dense", "fc2"))]
)
def test_an_edited_model_has_the_weights_of_an_edit_by_hand(
    opened: Any, tmp_path: Path, family: str, matrices: tuple[str, ...]
) -> None:
    lm = opened(family)
    before = tensors(lm.model)
    vector = vector_of(lm, role="ablate")
    (exported,) = export(lm, "model", tmp_path, vector)
    assert unchanged(lm.model, before)
    stack = next(name for name, module in lm.model.named_modules() if module is lm.anatomy.blocks)
    by_hand = edited_copy(lm.model, matrices, torch.from_numpy(vector.vector), stack).state_dict()
    found = reopened(exported).state_dict()
    changed = {name for name in before if not torch.equal(before[name], by_hand[name])}
    assert len(changed) >= 2 * lm.depth
    for name, tensor in found.items():
        torch.testing.assert_close(tensor, by_hand[name], rtol=0, atol=1e-6)
        assert name in changed or torch.equal(tensor, before[name])
    # It opens as any model does: tokenizer and template came along.
    again = open_model(str(exported.path), device="cpu")
    assert again.tokenizer.chat_template == lm.tokenizer.chat_template


@pytest.mark.parametrize("family", ["Llama", "GPT-2", "GPT-NeoX", "Granite", "Arcee"])
def test_steering_is_baked_in_where_there_is_a_bias_or_a_setting_for_one(
    opened: Any, tmp_path: Path, family: str
) -> None:
    lm = opened(family)
    before, settings = tensors(lm.model), lm.model.config.to_dict()
    one, two = vector_of(lm, 1), vector_of(lm, 2, source=4, strength=-0.5)
    (exported,) = export(lm, "model", tmp_path, one, two)
    with rewritten(lm.anatomy.blocks, {v.source: plus(torch.from_numpy(v.steering)) for v in (one, two)}):
        meant = forward(lm.model, IDS)
    torch.testing.assert_close(forward(reopened(exported), IDS), meant, rtol=1e-4, atol=1e-4)
    assert float((forward(lm.model, IDS) - meant).abs().max()) > 1e-2
    assert unchanged(lm.model, before) and lm.model.config.to_dict() == settings


@pytest.mark.parametrize(
    ("family", "source", "words"),
    [
        ("Qwen2", 3, "has no bias through which a vector would enter block 3 unchanged, and a Qwen2ForCausalLM has"),
        ("Gemma 2", 3, "has no bias"),
        ("Llama", 0, "what enters block 0 is the embedding"),
    ],
)
def test_steering_is_refused_where_no_weight_does_it(
    opened: Any, tmp_path: Path, family: str, source: int, words: str
) -> None:
    lm = opened(family)
    before = tensors(lm.model)
    with pytest.raises(DctError, match=words):
        export(lm, "model", tmp_path, vector_of(lm, source=source))
    assert not list(tmp_path.iterdir()) and unchanged(lm.model, before)


@pytest.mark.parametrize(
    "family", ["Qwen3-MoE", "Mixtral", "Qwen2-MoE", "Qwen3-Next", "Llama 4 text", "Jamba", "DeepSeek-V2"]
)
def test_adapters_reach_every_expert(opened: Any, tmp_path: Path, family: str) -> None:
    lm = opened(family)
    before = tensors(lm.model)
    (exported,) = export(lm, "lora", tmp_path, vector_of(lm, 1, role="ablate"), vector_of(lm, 2, role="ablate"))
    (checks,) = verify_exports(lm, [exported], context_of(lm))
    assert logits(checks).passed and logits(checks).reader.startswith("peft"), checks
    assert logits(checks).figures["kl_unsteered_max"] > 1e-2
    assert unchanged(lm.model, before) and not hasattr(lm.model, "peft_config")


@pytest.mark.parametrize("family", ["GPT-2", "GPT-OSS"])
def test_adapters_leave_biases_and_so_are_refused_or_exact(opened: Any, tmp_path: Path, family: str) -> None:
    lm = opened(family)
    with pytest.raises(DctError, match=r"bias is added to what is written, and a LoRA adapter leaves biases"):
        export(lm, "lora", tmp_path, vector_of(lm, role="ablate"))
    before = tensors(lm.model)
    with torch.no_grad():
        for name, parameter in lm.model.named_parameters():
            if name.endswith(("c_proj.bias", "o_proj.bias", "down_proj_bias")):
                parameter.zero_()
    try:
        (exported,) = export(lm, "lora", tmp_path, vector_of(lm, role="ablate"))
        (checks,) = verify_exports(lm, [exported], context_of(lm))
    finally:
        lm.model.load_state_dict(before)
    assert logits(checks).passed and logits(checks).figures["kl_unsteered_max"] > 1e-2


@pytest.mark.parametrize("form", ["lora", "model"])
def test_post_norms_and_the_stream_itself_are_refused(opened: Any, tmp_path: Path, form: str) -> None:
    with pytest.raises(DctError, match=r"writes through a Gemma2RMSNorm .*; export it as python"):
        export(opened("Gemma 2"), form, tmp_path, vector_of(opened("Gemma 2"), role="ablate"))
    lm = opened("Qwen3")
    with pytest.raises(DctError, match=r"is no edit of weights; .*--ablation writes"):
        export(lm, form, tmp_path, vector_of(lm, role="ablate", ablation="stream"))
    assert not list(tmp_path.iterdir())


def test_layers_that_are_not_chosen_stay(opened: Any, tmp_path: Path) -> None:
    lm = opened("Qwen3")
    chosen = [vector_of(lm, 1, role="ablate", layers=(1, 2)), vector_of(lm, 2, role="ablate", layers=(2,))]
    for form in ("lora", "model", "python"):
        (checks,) = verify_exports(lm, export(lm, form, tmp_path, *chosen), context_of(lm))
        assert logits(checks).passed
    edited = reopened(export(lm, "model", tmp_path, *chosen, force=True)[0]).state_dict()
    touched = {
        name.split(".")[2] for name, tensor in lm.model.state_dict().items() if not torch.equal(tensor, edited[name])
    }
    assert touched == {"1", "2"}


def test_folders_are_replaced_only_where_an_export_wrote_them(opened: Any, tmp_path: Path) -> None:
    lm = opened("Qwen3")
    vector = vector_of(lm, role="ablate")
    (first,) = export(lm, "lora", tmp_path, vector)
    with pytest.raises(DctError, match=r"is there already; .*--force"):
        export(lm, "lora", tmp_path, vector)
    (second,) = export(lm, "lora", tmp_path, vector_of(lm, role="ablate", layers=(1,)), force=True)
    assert first.path == second.path and first.files[1].sha256 != second.files[1].sha256
    (first.path / "notes.txt").write_text("mine")
    with pytest.raises(DctError, match=r"holds files that no export wrote \(notes\.txt"):
        export(lm, "lora", tmp_path, vector, force=True)
    assert (first.path / "notes.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == [first.path.name]


def test_quantised_weights_are_refused(opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lm = opened("Qwen3")
    monkeypatch.setattr(lm.model, "hf_quantizer", object(), raising=False)
    with pytest.raises(DctError, match="are quantised"):
        export(lm, "lora", tmp_path, vector_of(lm, role="ablate"))


def test_the_model_is_whole_again_when_the_disk_is_full(
    opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lm = opened("Arcee")
    before = tensors(lm.model)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lm.model, "save_pretrained", full)
    with pytest.raises(DctError, match="no room"):
        export(lm, "model", tmp_path, vector_of(lm), vector_of(lm, role="ablate"))
    assert not list(tmp_path.iterdir()) and unchanged(lm.model, before)


def test_a_reader_that_is_not_there_is_said(opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    lm = opened("Qwen3")
    exports = export(lm, "lora", tmp_path, vector_of(lm, role="ablate"))
    monkeypatch.setattr("dct_tui.jobs.verify_job.version", absent)
    (checks,) = verify_exports(lm, exports, context_of(lm))
    assert logits(checks).passed is None and "the peft package is not installed" in logits(checks).said


def test_too_weak_a_vector_proves_nothing(opened: Any, tmp_path: Path) -> None:
    lm = opened("Qwen3")
    (checks,) = verify_exports(
        lm, export(lm, "model", tmp_path, vector_of(lm, role="ablate", layers=())), context_of(lm)
    )
    assert logits(checks).passed is None and "too little to tell" in logits(checks).said


@pytest.mark.parametrize("family", ["Qwen3", "Mixtral"])
def test_rounding_is_no_fault_of_a_file(tmp_path: Path, family: str) -> None:
    lm = open_model(str(save_family(FAMILY[family], tmp_path / "m")), device="cpu", dtype="bf16")
    for form in ("lora", "model"):
        (checks,) = verify_exports(lm, export(lm, form, tmp_path, vector_of(lm, role="ablate")), context_of(lm))
        # Routers of experts choose others by rounding: then nothing can be told in 16 bits, and that is said.
        assert logits(checks).passed is not False, logits(checks)
        assert logits(checks).passed or "rounding alone" in logits(checks).said
