"""A model of a family, opened, with the prompts, vectors and directions that are tried on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dct_tui.models.loading import LanguageModel
from dct_tui.models.slices import LayerRange, default_range
from dct_tui.models.templating import Batch, as_messages, encode, pad

from .family_reference import forward, rewritten
from .zoo import Family

TEXTS = ("the cat sat on the mats", "a dog, 3 birds and 1 eel", "why?", "the cat ate 3 mats")
# By token counts of the templated prompts, 0 and 1 share a padded part of a SliceDelta, as do none of the others.


@dataclass
class Subject:
    """An open model of a family with prompts, vectors and directions to try on it."""

    family: Family
    lm: LanguageModel
    prompts: list[list[int]]
    layers: LayerRange
    vectors: Tensor
    directions: Tensor

    @property
    def blocks(self) -> Any:
        return self.lm.anatomy.blocks

    def batch(self) -> Batch:
        """All prompts, in one batch where the family takes pads, else as many as are equally long."""
        return pad(self.lm, self.together)

    @property
    def together(self) -> list[list[int]]:
        if self.lm.pads:
            return self.prompts
        return [prompt[: min(map(len, self.prompts))] for prompt in self.prompts]


def subject_of(family: Family, lm: LanguageModel) -> Subject:
    """Prompts of four lengths, and as many random vectors about as long as a hidden state."""
    generator = torch.Generator().manual_seed(1)
    prompts = [encode(lm, as_messages(text)) for text in TEXTS]
    layers = default_range(lm.depth)
    with rewritten(list(lm.anatomy.blocks)) as seen:
        forward(lm.model, prompts[0])
    size = float(seen.entering[layers.source].norm(dim=-1).median())
    draws = torch.randn(2, len(prompts), lm.width, generator=generator)
    unit = draws / draws.norm(dim=2, keepdim=True)
    return Subject(family, lm, prompts, layers, unit[0] * size / 2, unit[1])
