"""The models whose secrets are known: opened, or trained first where they are not shipped."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import orjson
from torch import Tensor

from dct_tui.models.generation import Row, Sampling, complete
from dct_tui.models.interventions import Steering
from dct_tui.models.language_model import LanguageModel
from dct_tui.models.loading import open_model
from dct_tui.models.slices import LayerRange, default_range
from dct_tui.models.templating import as_messages, encode
from dct_tui.organism.behaviours import Behaviour
from dct_tui.organism.check import FIT_PROMPTS, TEST_PROMPTS, VALIDATION_PROMPTS
from dct_tui.organism.collection import COLLECTION
from dct_tui.organism.saving import check_folder, save
from dct_tui.organism.training import Recipe, bfloat16_is_fast, train
from dct_tui.paths import data_root

__all__ = ["FIT_PROMPTS", "TEST_PROMPTS", "VALIDATION_PROMPTS", "Subject", "open_subject", "shipped", "subjects"]

ASSETS = Path(__file__).resolve().parents[2] / "assets"
BUILTIN = "builtin"
BUILTIN_TWIN = "builtin-twin"
SAMPLING = Sampling(max_new_tokens=24)
ROWS = 256


@dataclass(frozen=True)
class Subject:
    """A model with the secrets its recipe gave it; a twin has the same list, and none of them."""

    name: str
    lm: LanguageModel
    recipe: Recipe

    @cached_property
    def behaviours(self) -> tuple[Behaviour, ...]:
        """What is hidden, or in a twin what would be."""
        return self.recipe.secrets

    def layers(self, source: int | None) -> LayerRange:
        """The slice that a fit takes by default, or one from another source to the same target."""
        usual = default_range(self.lm.depth)
        return usual if source is None else LayerRange(source, usual.target)

    def ids(self, prompts: Sequence[str]) -> list[list[int]]:
        """Token ids of untriggered prompts."""
        return [encode(self.lm, as_messages(prompt, None)) for prompt in prompts]

    def replies(self, vectors: Sequence[Tensor], source: int, prompts: Sequence[str]) -> list[list[str]]:
        """What the model says to each prompt under each vector (d), added at every token."""
        ids = self.ids(prompts)
        rows = [Row(tokens, [Steering(vector, source)]) for vector in vectors for tokens in ids]
        texts = [
            reply.text
            for start in range(0, len(rows), ROWS)
            for reply in complete(self.lm, rows[start : start + ROWS], SAMPLING)
        ]
        return [texts[i * len(ids) : (i + 1) * len(ids)] for i in range(len(vectors))]


def subjects(full: bool) -> list[str]:
    """Names of the models to measure: those at hand, or with `full` all that there are recipes for."""
    every = [BUILTIN, BUILTIN_TWIN, *COLLECTION]
    return every if full else [name for name in every if shipped(name) is not None]


def shipped(name: str) -> Path | None:
    """The folder of a model that comes with the program."""
    folder = ASSETS / BUILTIN if name == BUILTIN else ASSETS / "organisms" / name
    return folder if (folder / "model.safetensors").is_file() else None


def open_subject(name: str) -> Subject:
    """Opens a model; one that is not shipped is trained first, and kept."""
    folder = shipped(name) or data_root() / "organisms" / name
    if not (folder / "check.json").is_file():
        _make(name, folder)
    kept = orjson.loads((folder / "check.json").read_bytes())["recipe"]
    return Subject(name, open_model(str(folder)), Recipe.from_json(kept))


def _make(name: str, folder: Path) -> None:
    recipe = Recipe(twin=True) if name == BUILTIN_TWIN else COLLECTION[name]
    recipe = replace(recipe, mixed=bfloat16_is_fast())
    model, tokenizer = train(recipe, report=lambda line: print(f"{name}: {line}", file=sys.stderr, flush=True))
    save(model, tokenizer, folder)
    check_folder(folder, recipe)
