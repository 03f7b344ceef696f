"""What a fit gives: the transcoder, and how the fit went."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from .config import FitConfig
from .strengths import activation


@dataclass(frozen=True)
class Iteration:
    """How one iteration went.

    Attributes:
        number: from 1.
        objective: the method's own objective at this iteration's V, before the step.
        change: mean over factors of 1 − cos(v before, v after).
        settled: share of factors with cos above .999.
        rows: rows evaluated in this iteration.
        seconds: wall time of this iteration.
    """

    number: int
    objective: float
    change: float
    settled: float
    rows: int
    seconds: float


@dataclass(frozen=True)
class FitState:
    """Where a fit stands after an iteration: all that is needed to go on.

    Attributes:
        iteration: the last finished one; 0 after initialisation.
        V: input directions, d × m, unit columns.
        row_batch: as last used.
        history: one entry an iteration.
    """

    iteration: int
    V: Tensor
    row_batch: int
    history: tuple[Iteration, ...] = ()


@dataclass(frozen=True)
class Transcoder:
    """A fitted shallow MLP, Δ(Rθ) ≈ Σ_ℓ α_ℓ σ(⟨v_ℓ, θ⟩) u_ℓ.

    Attributes:
        V: input directions, d × m, unit columns.
        U: output directions, d' × m, unit columns; column ℓ belongs to column ℓ of V.
        alpha: strengths α, m.
        config: what was asked for, with the row batch that was used.
        history: one entry an iteration.
    """

    V: Tensor
    U: Tensor
    alpha: Tensor
    config: FitConfig
    history: tuple[Iteration, ...] = field(default=())

    @property
    def sign_is_free(self) -> bool:
        """Whether −v is as much of a feature as v: the linear and quadratic methods leave the sign open."""
        return self.config.method in ("linear", "projected", "quadratic")

    def __call__(self, theta: Tensor) -> Tensor:
        """The transcoder's own estimate of Δ(Rθ) for rows θ (rows × d); rows × d'."""
        return (activation(self.config.method, theta @ self.V) * self.alpha) @ self.U.T
