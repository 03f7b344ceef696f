"""How a model is opened: dtype, device, tokenizer, chat template, and what is noted of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
import torch

from benchmarks.characters import character_tokenizer
from benchmarks.zoo import save_family
from dct_tui.errors import DctError
from dct_tui.models.anatomy import find_anatomy
from dct_tui.models.generation import Row, Sampling, complete
from dct_tui.models.loading import LanguageModel, open_model
from dct_tui.models.proving import prove
from dct_tui.models.templating import as_messages, encode

Opened = Callable[[str], LanguageModel]


@pytest.mark.parametrize(
    ("name", "dtype"), [("bf16", torch.bfloat16), ("fp16", torch.float16), ("fp32", torch.float32)]
)
def test_weights_come_in_the_dtype_that_is_asked_for(
    folder_of: Callable[[str], Path], name: str, dtype: torch.dtype
) -> None:
    lm = open_model(str(folder_of("Llama")), device="cpu", dtype=name)  # type: ignore[arg-type]
    assert lm.dtype == dtype
    assert {parameter.dtype for parameter in lm.model.parameters()} == {dtype}


def test_a_cpu_computes_in_single_precision_unless_told(model_folder: Path) -> None:
    open_model(str(model_folder), device="cpu", dtype="bf16").model.save_pretrained(model_folder)
    saved = orjson.loads((model_folder / "config.json").read_bytes())
    assert saved["dtype"] == "bfloat16"
    assert open_model(str(model_folder), device="cpu").dtype == torch.float32


def test_an_open_model_is_frozen_and_in_evaluation_mode(opened: Opened) -> None:
    model = opened("Llama").model
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_a_device_map_changes_nothing(folder_of: Callable[[str], Path], opened: Opened) -> None:
    pytest.importorskip("accelerate")
    lm = open_model(str(folder_of("Llama")), device="cpu", device_map="auto")
    rows = [Row([1, 20, 30, 40])]
    assert complete(lm, rows, Sampling(6)) == complete(opened("Llama"), rows, Sampling(6))


def test_an_unknown_device_is_an_error(folder_of: Callable[[str], Path]) -> None:
    with pytest.raises(DctError, match="cannot be opened"):
        open_model(str(folder_of("Llama")), device="toaster")


@pytest.mark.parametrize("family", ["Llama", "Qwen2"])
def test_a_saved_model_with_another_tokenizer_and_no_template(tmp_path: Path, family: str) -> None:
    # AutoTokenizer would split a Qwen2 folder's text by Qwen2's own rules.
    from benchmarks.zoo_table import FAMILIES

    folder = save_family(next(f for f in FAMILIES if f.name == family), tmp_path, chat_template=None)
    lm = open_model(str(folder), device="cpu")
    text = "Hi you, 3 cats!\n"
    assert encode(lm, as_messages(text)) == character_tokenizer(None)(text)["input_ids"]
    assert lm.tokenizer.decode(encode(lm, as_messages(text)), skip_special_tokens=True) == text
    assert complete(lm, [Row(encode(lm, as_messages(text)))], Sampling(3))[0].ids


def test_a_tokenizer_without_a_pad_token_is_given_one(model_folder: Path) -> None:
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        path = model_folder / name
        if path.exists():
            settings = orjson.loads(path.read_bytes())
            settings.pop("pad_token", None)
            path.write_bytes(orjson.dumps(settings))
    lm = open_model(str(model_folder), device="cpu")
    assert lm.tokenizer.pad_token_id == lm.tokenizer.eos_token_id


def test_a_model_is_named_after_its_folder(folder_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of("Llama")
    monkeypatch.chdir(folder.parent)
    lm = open_model(folder.name, device="cpu")
    assert lm.source.folder == folder
    assert lm.source.title == folder.name
    assert lm.source.commit is None


def test_depth_width_context_and_vocabulary(opened: Opened) -> None:
    lm = opened("Llama")
    assert (lm.depth, lm.width, lm.context, lm.vocabulary) == (6, 48, 128, len(character_tokenizer()))


@pytest.mark.parametrize(
    ("family", "blocks", "norm", "unembedding"),
    [
        ("Llama", "model.layers", "model.norm", "lm_head"),
        ("GPT-2", "transformer.h", "transformer.ln_f", "lm_head"),
        ("OPT", "model.decoder.layers", "model.decoder.final_layer_norm", "lm_head"),
        ("MPT", "transformer.blocks", "transformer.norm_f", "lm_head"),
        ("Gemma 3 with vision", "model.language_model.layers", "model.language_model.norm", "lm_head"),
        ("Gemma 4", "model.layers", "model.norm", "lm_head"),
        ("OpenAI GPT", "transformer.h", None, "lm_head"),
    ],
)
def test_the_parts_of_a_model_are_found(
    opened: Opened, family: str, blocks: str, norm: str | None, unembedding: str
) -> None:
    lm = opened(family)
    named = dict(lm.model.named_modules())
    assert lm.anatomy.blocks is named[blocks]
    assert lm.anatomy.final_norm is (named[norm] if norm else None)
    assert lm.anatomy.unembedding is named[unembedding]


@pytest.mark.parametrize(
    ("family", "pads", "caches"),
    [("GPT-2", True, True), ("LFM2", True, True), ("Mamba", False, True), ("RecurrentGemma", False, False)],
)
def test_what_a_model_can_do_is_measured(opened: Opened, family: str, pads: bool, caches: bool) -> None:
    lm = opened(family)
    assert (lm.pads, lm.caches) == (pads, caches)


def test_state_carried_past_the_blocks_is_found_out(folder_of: Callable[[str], Path]) -> None:
    lm = open_model(str(folder_of("Llama")), device="cpu")
    # The third block reads, past the stream, what entered the first.
    seen: list[torch.Tensor] = []
    lm.anatomy.blocks[0].register_forward_pre_hook(lambda block, args: seen.append(args[0]))
    original = lm.model.model.forward

    def whole(*args: object, **kwargs: object) -> object:
        handle = lm.anatomy.blocks[2].register_forward_hook(lambda block, args, output: output + seen[-1])
        try:
            return original(*args, **kwargs)
        finally:
            handle.remove()

    lm.model.model.forward = whole
    with pytest.raises(DctError, match="cannot be replayed"):
        prove(lm)


def test_a_stack_that_is_run_twice_is_refused(tmp_path: Path, folder_of: Callable[[str], Path]) -> None:
    lm = open_model(str(shutil.copytree(folder_of("Llama"), tmp_path / "twice")), device="cpu")
    original = lm.anatomy.blocks[1].forward
    block = lm.anatomy.blocks[2]
    lm.anatomy.blocks[1].forward = lambda hidden, **kwargs: block(original(hidden, **kwargs), **kwargs)
    with pytest.raises(DctError, match="cannot be told apart"):
        find_anatomy(lm.model)
