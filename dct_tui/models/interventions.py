"""Steering and ablation as hooks: exact on any architecture, and different for every row of a batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..errors import DctError
from .anatomy import first_tensor, with_first_tensor
from .language_model import LanguageModel
from .slices import split_hidden
from .writes import find_writers

AblationKind = Literal["writes", "stream"]
ABLATION_KINDS: tuple[AblationKind, ...] = ("writes", "stream")


@dataclass(frozen=True, eq=False)
class Steering:
    """Adds `vector` (d; R·v times a strength) to h_layer at every position, prompt and generated."""

    vector: Tensor
    layer: int


@dataclass(frozen=True, eq=False)
class Ablation:
    """Projects `direction` (d) out of what blocks write, or out of the stream that leaves them.

    Attributes:
        direction: any length but 0.
        kind: `writes`: out of what attention and MLP each write, after a post-norm where there is one, biases
            included; the embedding's part stays. `stream`: out of the whole residual stream after each block.
        layers: the blocks; None for all.
    """

    direction: Tensor
    kind: AblationKind = "writes"
    layers: tuple[int, ...] | None = None


Intervention = Steering | Ablation


class Intervened:
    """A context in which a model's rows each have their own interventions.

    Rows keep the order they are given in; when rows leave the batch, `keep` says which remain.
    """

    def __init__(self, lm: LanguageModel, rows: Sequence[Sequence[Intervention]]) -> None:
        """Checks the interventions and finds where they act.

        Args:
            lm: the model.
            rows: for each row of the batch, its interventions. Several vectors at one layer add up; several directions
                ablated at one place are ablated together: the space they span is projected out.

        Raises:
            DctError: a layer the model has not, a direction of another width or of no length, or an architecture
                whose writes cannot be told apart.
        """
        self.lm = lm
        self._handles: list[Any] = []
        for intervention in (one for row in rows for one in row):
            _check(lm, intervention)
        self._steering = _steering_by_layer(lm, rows)
        self._stream = _spans_by_layer(lm, rows, "stream")
        self._writes = _spans_by_layer(lm, rows, "writes")
        self._writers = find_writers(lm) if self._writes else []

    def keep(self, rows: Tensor) -> None:
        """Only these rows (indices into the present order) remain."""
        for table in (self._steering, self._stream, self._writes):
            for layer, tensor in table.items():
                table[layer] = tensor[rows.to(tensor.device)]

    def __enter__(self) -> Intervened:
        blocks = self.lm.anatomy.blocks
        for layer in self._steering:
            self._handles.append(
                blocks[layer].register_forward_pre_hook(
                    lambda block, args, kwargs, layer=layer: self._steer(layer, args, kwargs), with_kwargs=True
                )
            )
        for layer in self._writes:
            for module in self._writers[layer]:
                self._project_output_of(module, self._writes, layer)
        for layer in self._stream:
            self._project_output_of(blocks[layer], self._stream, layer)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _steer(
        self, layer: int, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        hidden, rest, named = split_hidden(args, kwargs)
        vectors = self._steering[layer] = self._steering[layer].to(hidden.device, hidden.dtype)
        return (hidden + vectors[:, None, :], *rest), named

    def _project_output_of(self, module: nn.Module, table: dict[int, Tensor], layer: int) -> None:
        def project(module: nn.Module, args: object, output: Any) -> Any:
            hidden = first_tensor(output)
            span = table[layer] = table[layer].to(hidden.device)
            # Some modules see their rows flattened into one; each row still meets its own directions.
            by_row = hidden.reshape(len(span), -1, hidden.shape[-1]).to(span.dtype)
            inside = torch.einsum("rtd,rkd->rtk", by_row, span)
            kept = by_row - torch.einsum("rtk,rkd->rtd", inside, span)
            return with_first_tensor(output, kept.reshape(hidden.shape).to(hidden.dtype))

        self._handles.append(module.register_forward_hook(project))


def _steering_by_layer(lm: LanguageModel, rows: Sequence[Sequence[Intervention]]) -> dict[int, Tensor]:
    table: dict[int, Tensor] = {}
    precision = torch.promote_types(lm.dtype, torch.float32)
    for row, interventions in enumerate(rows):
        for one in interventions:
            if isinstance(one, Steering):
                vectors = table.setdefault(
                    one.layer, torch.zeros(len(rows), lm.width, device=lm.device, dtype=precision)
                )
                vectors[row] += one.vector.to(vectors)
    return table


def _spans_by_layer(lm: LanguageModel, rows: Sequence[Sequence[Intervention]], kind: AblationKind) -> dict[int, Tensor]:
    """For each layer an orthonormal basis a row, rows × most directions × d, filled up with zeros."""
    directions: dict[int, list[list[Tensor]]] = defaultdict(lambda: [[] for _ in rows])
    for row, interventions in enumerate(rows):
        for one in interventions:
            if isinstance(one, Ablation) and one.kind == kind:
                for layer in range(lm.depth) if one.layers is None else one.layers:
                    directions[layer][row].append(one.direction)
    return {layer: _bases(lm, per_row) for layer, per_row in directions.items()}


def _bases(lm: LanguageModel, per_row: list[list[Tensor]]) -> Tensor:
    precision = torch.promote_types(lm.dtype, torch.float32)
    bases = torch.zeros(len(per_row), max(map(len, per_row)), lm.width, device=lm.device, dtype=precision)
    for row, directions in enumerate(per_row):
        if directions:
            span = span_of(directions)
            bases[row, : len(span)] = span.to(bases)
    return bases


def span_of(directions: Sequence[Tensor]) -> Tensor:
    """An orthonormal basis of what these directions span, k × d in float64 on the CPU."""
    unit = torch.nn.functional.normalize(torch.stack([d.double().cpu() for d in directions]), dim=1)
    _, sizes, right = torch.linalg.svd(unit, full_matrices=False)
    # Directions given twice span no more than once: what is left of them is rounding.
    span: Tensor = right[sizes > 1e-6]
    return span


def _check(lm: LanguageModel, one: Intervention) -> None:
    tensor, layers = (one.vector, (one.layer,)) if isinstance(one, Steering) else (one.direction, one.layers or ())
    if tensor.shape != (lm.width,):
        raise DctError(
            f"a vector of shape {tuple(tensor.shape)} does not fit a model of width {lm.width}", "check the model"
        )
    if not bool(tensor.isfinite().all()):
        raise DctError("a vector that is not finite cannot be applied", "fit again, or choose another feature")
    if isinstance(one, Ablation) and not bool(tensor.norm() > 0):
        raise DctError("a direction of no length cannot be ablated", "choose another feature")
    for layer in layers:
        if not 0 <= layer < lm.depth:
            raise DctError(f"there is no block {layer}: the model has {lm.depth}", f"choose from 0 to {lm.depth - 1}")
