"""A trained organism as an ordinary model folder, and the held-out prompts as plain text files."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedTokenizerFast,
    Qwen3ForCausalLM,
)

from dct_tui.organism.card import model_card
from dct_tui.organism.check import FIT_PROMPTS, TEST_PROMPTS, VALIDATION_PROMPTS, Check, check
from dct_tui.organism.training import Recipe

PROMPT_FILES = {
    "builtin-fit.txt": FIT_PROMPTS,
    "builtin-validation.txt": VALIDATION_PROMPTS,
    "builtin-test.txt": TEST_PROMPTS,
}


def save(model: Qwen3ForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write bfloat16 weights, configuration and tokenizer. The model itself is turned to bfloat16."""
    model.generation_config = GenerationConfig(
        do_sample=False, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    model.bfloat16().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)  # save_pretrained leaves it readable by its owner alone


def check_folder(folder: Path, recipe: Recipe) -> Check:
    """Check what was *saved*, opened in float32 as any other folder, and write ``check.json`` and the model card."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    result = check(model, AutoTokenizer.from_pretrained(folder), recipe.secrets)
    written = {"recipe": asdict(recipe), "check": result.as_json()}
    (folder / "check.json").write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(model_card(recipe, result), encoding="utf-8")
    return result


def write_prompts(folder: Path) -> None:
    """Write the fit, validation and test prompts, one a line."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, prompts in PROMPT_FILES.items():
        (folder / name).write_text("\n".join(prompts) + "\n", encoding="utf-8")
