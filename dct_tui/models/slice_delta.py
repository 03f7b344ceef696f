"""Δ of a model's slice over prompts: what the transcoder is fitted to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from ..errors import DctError
from ..transcoder import Delta
from .language_model import LanguageModel
from .proving import check_replay
from .slices import LayerRange, RecordedSlice, record_slice
from .templating import Batch, pad

TARGET_POSITIONS = 3
PAD_ALLOWANCE = 1.15
CPU_TOKENS = 4096
KEPT_RECORDINGS = 3
ACTIVATIONS_A_BLOCK = 40


class SliceDelta(Delta):
    """Δ(θ): mean over prompts and target positions of slice(X + θ) − Y, θ added at every token.

    Prompts of about equal length share a padded batch (a part). Pads are masked, counted in no position and never
    steered, so a prompt gives the same Δ alone and in company.
    """

    def __init__(
        self,
        lm: LanguageModel,
        prompts: Sequence[Sequence[int]],
        layers: LayerRange,
        *,
        positions: int = TARGET_POSITIONS,
    ) -> None:
        """Records the slice on the prompts and proves that replaying it gives what the model gives.

        Args:
            lm: the model.
            prompts: token ids.
            layers: source and target.
            positions: how many tokens at each prompt's end are target positions.

        Raises:
            DctError: no such slice, a model that gives NaN, or one whose slice cannot be replayed exactly.
        """
        layers.check(lm.depth)
        if positions < 1:
            raise DctError(f"{positions} target positions measure nothing", "choose at least 1")
        self.lm, self.layers = lm, layers
        self.d_in = self.d_out = lm.width
        self.device = lm.device
        self.dtype = torch.promote_types(lm.dtype, torch.float32)
        self._parts = [
            _Part(lm, pad(lm, group), layers, positions)
            for group in by_length(prompts, PAD_ALLOWANCE if lm.pads else 1)
        ]
        self.parts = len(self._parts)
        self._prompts = len(prompts)

    @property
    def reference_norm(self) -> float:
        """Median ‖h_s‖ over tokens, each prompt's first token left out: attention sinks dwarf all others."""
        norms = [part.entering_norms() for part in self._parts]
        return float(torch.cat(norms).median())

    def outputs(self, theta: Tensor, part: int = 0) -> Tensor:
        return self._parts[part].changes(theta)

    def weights(self, part: int = 0) -> Tensor:
        present = self._parts[part].present.to(self.dtype)
        return present / present.sum(dim=1, keepdim=True) / self._prompts

    def suggested_rows(self) -> int:
        tokens = sum(part.batch.ids.numel() for part in self._parts)
        if self.device.type != "cuda":
            return max(1, CPU_TOKENS // tokens)
        free, _ = torch.cuda.mem_get_info(self.device)
        blocks = self.layers.target - self.layers.source
        row_bytes = tokens * blocks * self.lm.width * ACTIVATIONS_A_BLOCK * self.lm.dtype.itemsize
        return max(1, min(512, int(free * 0.6) // row_bytes))

    @contextmanager
    def forward_mode(self) -> Iterator[None]:
        # Neither fused attention nor grouped products of experts can be differentiated forwards. Attention stays SDPA:
        # the recorded calls carry masks made for it.
        # The name has an underscore because only the newest versions of transformers have a getter for it.
        model, usual = self.lm.model, self.lm.model.config.get_text_config()._experts_implementation
        model.set_experts_implementation("eager")
        try:
            with sdpa_kernel(SDPBackend.MATH):
                yield
        finally:
            model.set_experts_implementation(usual)


@dataclass
class _Part:
    """One padded batch of prompts, recorded anew for each number of rows that is asked for."""

    lm: LanguageModel
    batch: Batch
    layers: LayerRange
    positions: int

    def __post_init__(self) -> None:
        self.positions = min(self.positions, self.batch.ids.shape[1])
        self.present = self.batch.mask[:, -self.positions :] > 0
        alone = record_slice(self.lm, self.batch, self.layers)
        check_replay(self.lm, alone, self.batch, self.layers)
        self.entering, self.leaving = alone.entering, alone.leaving[:, -self.positions :]
        self._recorded = {1: replace(alone, entering=alone.entering[:0], leaving=alone.leaving[:0])}

    def changes(self, theta: Tensor) -> Tensor:
        """slice(X + θ) − Y at the target positions: rows × prompts × positions × d."""
        rows, prompts = len(theta), len(self.entering)
        tokens = self.batch.mask[None, :, :, None].to(self.entering)
        hidden = (self.entering + theta.to(self.entering)[:, None, None, :] * tokens).flatten(0, 1)
        leaving = self._slice(rows).replay(hidden)[:, -self.positions :].to(theta)
        changes = leaving.reshape(rows, prompts, *leaving.shape[1:]) - self.leaving.to(theta)
        # What a model gives at pads is nobody's business, and may be NaN.
        return torch.where(self.present[:, :, None], changes, 0.0)

    def entering_norms(self) -> Tensor:
        """‖h_s‖ of every token but each prompt's first."""
        counted = (self.batch.mask > 0) & (self.batch.positions > 0)
        if not bool(counted.any()):
            counted = self.batch.mask > 0
        norms: Tensor = self.entering.float().norm(dim=2)
        return norms[counted.to(norms.device)].to(self.batch.mask.device)

    def _slice(self, rows: int) -> RecordedSlice:
        if rows not in self._recorded:
            if len(self._recorded) > KEPT_RECORDINGS:
                self._recorded.pop(next(size for size in self._recorded if size != 1))
            recorded = record_slice(self.lm, self.batch.repeat(rows), self.layers)
            self._recorded[rows] = replace(recorded, entering=recorded.entering[:0], leaving=recorded.leaving[:0])
        return self._recorded[rows]


def by_length(prompts: Sequence[Sequence[int]], allowance: float) -> list[list[Sequence[int]]]:
    """Prompts grouped so that the longest of a group is at most `allowance` times as long as its shortest."""
    groups: list[list[Sequence[int]]] = []
    for prompt in sorted(prompts, key=len):
        if groups and len(prompt) <= allowance * len(groups[-1][0]):
            groups[-1].append(prompt)
        else:
            groups.append([prompt])
    return groups
