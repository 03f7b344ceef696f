"""What a Δ is: the change at the end of a slice of a model, as a function of a change at its start."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


class NotFiniteError(ValueError):
    """A Δ gives NaN or infinity."""


class Delta(ABC):
    """A map Δ: R^d → R^d' with Δ(0) = 0, evaluated for many points at once.

    A point θ is one row. Rows do not see each other, so a batch of rows and one ordinary backward pass
    give every row's gradient. A Δ averages over *sites*, the target positions of some prompts; where
    the prompts cannot share one batch they come in `parts`.

    Attributes:
        d_in, d_out: widths d and d'.
        dtype, device: of the points θ and of everything returned. Inside, a Δ may compute in less.
        parts: number of batches of prompts.
        on_rows: called before each batch of rows with their number, by everything that evaluates Δ in batches: a
            place to report, to wait, or to end the work by raising.
    """

    d_in: int
    d_out: int
    dtype: torch.dtype = torch.float32
    device: torch.device = torch.device("cpu")
    parts: int = 1
    on_rows: Callable[[int], None] | None = None

    @abstractmethod
    def outputs(self, theta: Tensor, part: int = 0) -> Tensor:
        """Changes at every site of one part, differentiable in θ.

        Args:
            theta: points, rows × d.
            part: which batch of prompts.

        Returns:
            rows × prompts × positions × d'.
        """

    def weights(self, part: int = 0) -> Tensor:
        """Share of each site in Δ, prompts × positions; all parts together sum to 1. Zero: no such site."""
        return torch.ones(1, 1, dtype=self.dtype, device=self.device)

    def mean(self, theta: Tensor, part: int = 0) -> Tensor:
        """This part's term of Δ(θ), rows × d': the sum over parts is Δ(θ)."""
        return torch.einsum("rptd,pt->rd", self.outputs(theta, part), self.weights(part))

    def suggested_rows(self) -> int:
        """How many rows to try in one batch."""
        return 256

    def forward_mode(self) -> AbstractContextManager[None]:
        """Context in which forward-mode differentiation works (fused attention has no such formula)."""
        return nullcontext()


class FunctionDelta(Delta):
    """A Δ given as an ordinary function of rows, with one prompt and one position."""

    def __init__(
        self, function: Callable[[Tensor], Tensor], d_in: int, d_out: int, dtype: torch.dtype = torch.float32
    ) -> None:
        self.function, self.d_in, self.d_out, self.dtype = function, d_in, d_out, dtype

    def outputs(self, theta: Tensor, part: int = 0) -> Tensor:
        return self.function(theta)[:, None, None, :]
