"""What every method of fitting is: a start, a step, and outputs for the directions that are returned."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

from .config import FitConfig
from .orthogonal import orthogonalise, unit_gaussian
from .products import Products
from .result import FitState
from .strengths import similarity, solve_strengths


class Algorithm(Protocol):
    """One way to find input directions V (d × m)."""

    def start(self, products: Products, config: FitConfig, generator: torch.Generator) -> Tensor:
        """The first V, unit columns; the final one for a method that does not iterate."""

    def outputs(self, products: Products, config: FitConfig, V: Tensor) -> tuple[Tensor, Tensor]:
        """U (d' × m, unit columns) and α (m) that belong to this very V. A v without effect has u = 0 and α = 0."""


class Step(NamedTuple):
    """What one iteration gives.

    Attributes:
        V: the next input directions, d × m, unit columns.
        gradient_norms: of the gradients that V came from, m.
        objective: the method's own objective at the orthogonalised directions where those gradients were taken.
    """

    V: Tensor
    gradient_norms: Tensor
    objective: float


@runtime_checkable
class Iterative(Algorithm, Protocol):
    """An algorithm that goes on from its start."""

    def step(self, products: Products, config: FitConfig, state: FitState) -> Step:
        """One iteration from where `state` stands."""


def jacobian_start(products: Products, config: FitConfig, generator: torch.Generator) -> Tensor:
    """Pullbacks Jᵀw of m random outputs w: every column carries signal, at the price of one iteration.

    Where J is zero (an even Δ) there is no signal, and a random start takes its place.
    """
    delta = products.delta
    w = torch.randn(config.factors, delta.d_out, generator=generator, dtype=torch.float64)
    rows = products.rows_of_jacobian(w.to(delta.device, delta.dtype))
    spare = unit_gaussian(delta.d_in, config.factors, generator)
    return unit_or(rows.T, spare.to(delta.device, delta.dtype))


def apart(config: FitConfig, state: FitState) -> Tensor:
    """The state's directions, orthogonalised as the config says: where an iteration evaluates Δ."""
    return orthogonalise(state.V, config.orthogonalisation, state.gradient_norms)


def to_radii(config: FitConfig, V: Tensor) -> Tensor:
    """The columns of V, each as long as the share of R that it is trained at."""
    shares = V.new_tensor(config.radii)
    return V * shares[torch.arange(V.shape[1], device=V.device) % len(shares)]


def stepped(gradients: Tensor, V: Tensor, objective: float) -> Step:
    """The step along `gradients` (rows × d) taken at V (d × m). Where there is no gradient, v stays."""
    return Step(unit_or(gradients.T, V), norms(gradients, dim=1), objective)


def norms(vectors: Tensor, dim: int) -> Tensor:
    """Norms along `dim`, summed in float64: the squares of what float32 still holds may overflow it."""
    summed: Tensor = torch.linalg.vector_norm(vectors, dim=dim, dtype=torch.float64)
    return summed.to(vectors.dtype)


def unit(vectors: Tensor, dim: int) -> Tensor:
    """Vectors along `dim` of norm 1; zero stays zero."""
    return vectors / norms(vectors, dim).clamp_min(torch.finfo(vectors.dtype).tiny).unsqueeze(dim)


def unit_or(columns: Tensor, spare: Tensor) -> Tensor:
    """Unit columns; a column that is zero gives way to the spare one. NaN stays, for the fit to refuse."""
    return torch.where(norms(columns, dim=0) == 0, spare, unit(columns, dim=0))


def outputs_at_scale(products: Products, config: FitConfig, V: Tensor) -> tuple[Tensor, Tensor]:
    """u = Δ(Rv)/‖Δ(Rv)‖ and the exponential method's α = K⁺⟨u, Δ(Rv)⟩, K = (UᵀU) ∘ expm1(VᵀV) (Alg. 3)."""
    values = products.values(config.scale * V.T).T
    U = unit(values, dim=0)
    K = similarity("exponential", U, V)
    return U, solve_strengths(K, norms(values, dim=0)).to(V.dtype)
