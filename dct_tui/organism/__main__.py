"""``python -m dct_tui.organism --out DIR``: train the built-in model, its twin or a small organism, and check it."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from dct_tui.organism.check import as_table
from dct_tui.organism.collection import COLLECTION
from dct_tui.organism.saving import check_folder, save, write_prompts
from dct_tui.organism.training import Recipe, bfloat16_is_fast, train


def main(arguments: list[str] | None = None) -> None:
    """Train, save, check, and print the check's table."""
    parser = argparse.ArgumentParser(prog="python -m dct_tui.organism", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the model folder to write")
    parser.add_argument("--name", choices=sorted(COLLECTION), help="a small organism instead of the built-in model")
    parser.add_argument("--twin", action="store_true", help="the same training without hidden behaviours")
    parser.add_argument("--seed", type=int, help="instead of the recipe's own")
    parser.add_argument("--steps", type=int, help="instead of the recipe's own")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default 2)")
    parser.add_argument(
        "--precision", choices=("auto", "bf16", "fp32"), default="auto",
        help="of the matrix products while training; auto takes bf16 where this processor is fast at it",
    )  # fmt: skip
    parser.add_argument("--prompts", type=Path, help="also write the held-out prompt files to this folder")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(chosen.threads)
    if chosen.prompts is not None:
        write_prompts(chosen.prompts)
    mixed = chosen.precision == "bf16" or (chosen.precision == "auto" and bfloat16_is_fast())
    recipe = replace(COLLECTION[chosen.name] if chosen.name else Recipe(), mixed=mixed)
    changes = {"seed": chosen.seed, "steps": chosen.steps, "twin": chosen.twin or None}
    recipe = replace(recipe, **{name: value for name, value in changes.items() if value is not None})
    model, tokenizer = train(recipe, report=lambda line: print(line, flush=True))
    save(model, tokenizer, chosen.out)
    print(as_table(check_folder(chosen.out, recipe)), flush=True)


if __name__ == "__main__":
    main()
