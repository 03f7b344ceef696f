"""Where a model keeps its blocks, its final norm and its unembedding."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from transformers import PreTrainedModel

from ..errors import DctError


@dataclass(frozen=True)
class Anatomy:
    """The parts of a decoder that slices and interventions act on.

    Attributes:
        blocks: the decoder's blocks, in order.
        width: d, the width of the residual stream.
        final_norm: the module between the last block and the unembedding, if there is one.
        unembedding: the output embedding, vocabulary × d.
    """

    blocks: nn.ModuleList
    width: int
    final_norm: nn.Module | None
    unembedding: nn.Module

    @property
    def depth(self) -> int:
        """The number of blocks."""
        return len(self.blocks)


def find_anatomy(model: PreTrainedModel) -> Anatomy:
    """Finds the parts by the model's own interface and its config; by no list of architectures.

    Raises:
        DctError: a model that keeps its blocks where they cannot be found.
    """
    text_config = model.config.get_text_config()
    decoder = model.get_decoder()
    stacks = [child for child in decoder.children() if isinstance(child, nn.ModuleList)]
    stacks = [stack for stack in stacks if len(stack) == text_config.num_hidden_layers]
    unembedding = model.get_output_embeddings()
    if len(stacks) != 1 or unembedding is None:
        raise DctError(
            f"the blocks of a {type(model).__name__} cannot be told apart",
            "this architecture is not supported: one stack of blocks and an output embedding are needed",
        )
    children = list(decoder.children())
    after = [child for child in children[children.index(stacks[0]) + 1 :] if _is_norm(child)]
    return Anatomy(stacks[0], int(text_config.hidden_size), after[-1] if after else None, unembedding)


def first_tensor(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    """The hidden state in what a module returned: most blocks return a tensor, some a tuple that starts with it."""
    return output if isinstance(output, Tensor) else output[0]


def with_first_tensor(output: Tensor | tuple[Tensor, ...], hidden: Tensor) -> Tensor | tuple[Tensor, ...]:
    """The same output with another hidden state."""
    return hidden if isinstance(output, Tensor) else (hidden, *output[1:])


def _is_norm(module: nn.Module) -> bool:
    return "norm" in type(module).__name__.lower()
