"""What is trained: a small Qwen3 whose blocks are local, then global, then local again.

A steering vector can change what a model is *about to conclude*; it argues in vain against evidence that later blocks
look up again at every token. Here only the global blocks can see the evidence, so whatever they conclude has to be
carried in the residual stream through the last, local blocks, as in models with interleaved local attention. The
first blocks are local too, so that a slice starting at a third of the depth starts where evidence is being read.
"""

from __future__ import annotations

from dataclasses import dataclass

from transformers import PreTrainedTokenizerFast, Qwen3Config

from dct_tui.organism.tokenizer import LONGEST


@dataclass(frozen=True)
class Shape:
    """Sizes of the model: blocks of each sort from the bottom up, width, and how far a local block sees."""

    local_first: int = 3
    full: int = 3
    local_last: int = 4
    width: int = 128
    hidden: int = 384
    heads: int = 4
    window: int = 5

    def config(self, tokenizer: PreTrainedTokenizerFast) -> Qwen3Config:
        """The transformers configuration; training is in float32, the saved files are bfloat16."""
        layers = ["sliding_attention"] * self.local_first + ["full_attention"] * self.full
        layers += ["sliding_attention"] * self.local_last
        return Qwen3Config(
            vocab_size=len(tokenizer),
            hidden_size=self.width,
            intermediate_size=self.hidden,
            num_hidden_layers=len(layers),
            num_attention_heads=self.heads,
            num_key_value_heads=self.heads,
            head_dim=self.width // self.heads,
            max_position_embeddings=LONGEST,
            use_sliding_window=True,
            sliding_window=self.window,
            layer_types=layers,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
