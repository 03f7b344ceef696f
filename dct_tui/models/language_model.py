"""An open language model: what every other file of this room works on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from .anatomy import Anatomy
from .catalog import ModelSource


@dataclass(frozen=True)
class LanguageModel:
    """An open model: its weights (frozen, in evaluation mode), tokenizer, anatomy and where it came from.

    Attributes:
        trusts_remote_code: whether code that came with it was run.
        pads: whether a prompt gives the same alone and padded on the left; some recurrent families read the pads.
        caches: whether going on from its cache gives what running the whole text gives.
        drops: whether its cache can lose rows.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    anatomy: Anatomy
    source: ModelSource
    trusts_remote_code: bool = False
    pads: bool = True
    caches: bool = True
    drops: bool = True

    @property
    def device(self) -> torch.device:
        """Where its inputs go."""
        return next(self.model.get_input_embeddings().parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Of its hidden states."""
        return self.model.dtype

    @property
    def depth(self) -> int:
        """The number of blocks."""
        return self.anatomy.depth

    @property
    def width(self) -> int:
        """The width of the residual stream."""
        return self.anatomy.width

    @property
    def vocabulary(self) -> int:
        """The number of token embeddings."""
        return len(next(self.model.get_input_embeddings().parameters()))

    @property
    def context(self) -> int | None:
        """The most tokens it can attend over, where its config says so."""
        length = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        return int(length) if length else None
