"""Vectors for the steering-vectors package, which has no file format of its own: tensors that `torch.load` reads.

    saved = torch.load(path, weights_only=True)
    vector = SteeringVector(layer_activations=saved["layer_activations"], layer_type=saved["layer_type"])
    with vector.apply(model): …

Its layer L is the output of block L (0-based), which is the input of block L+1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dct_tui.errors import DctError

from .torch_file import torch_file_bytes
from .vectors import ExportContext, ExportVector, Float32, metadata, require_added

__all__ = ["steering_vector_bytes"]


def steering_vector_bytes(vectors: Sequence[ExportVector], context: ExportContext) -> bytes:
    """A file of `layer_activations` (layer → strength · R · v, summed; d values), `layer_type` and `metadata` as text.

    Raises:
        DctError: a direction to ablate, or a vector for the input of block 0, of a block the model lacks, or of another
            width.
    """
    layers: dict[int, Float32] = {}
    for vector in vectors:
        require_added(vector, context, "a steering vector")
        if vector.source < 1:
            raise DctError(
                f"{vector.name} enters block 0, and steering-vectors only adds to what a block gives",
                "export it as safetensors, npz or python, or fit from a source layer of at least 1",
            )
        layer = vector.source - 1
        with np.errstate(over="ignore"):  # A sum that is not finite is refused below.
            layers[layer] = layers[layer] + vector.steering if layer in layers else vector.steering
    for layer, total in layers.items():
        if not np.isfinite(total).all():
            raise DctError(f"the sum of the vectors at layer {layer} is beyond what float32 holds", "combine fewer")
    about = metadata(vectors[:1], context) | {"names": ", ".join(vector.name for vector in vectors)}
    return torch_file_bytes(
        {
            "layer_type": "decoder_block",
            "layer_activations": {layer: layers[layer] for layer in sorted(layers)},
            "metadata": about,
        }
    )
