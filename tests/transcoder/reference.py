"""Maps with known answers and slow, independent computations in float64 to hold the transcoder against."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dct_tui.transcoder import Delta, FunctionDelta

Array = NDArray[np.float64]


class SiteMap(Delta):
    """A smooth map over prompts and positions of unequal weights; `groups` says which prompts share a part."""

    dtype = torch.float64

    def __init__(self, d_in: int, d_out: int, groups: list[list[int]], seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)
        prompts, self.positions, hidden = sum(len(group) for group in groups), 3, 8

        def draw(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=generator, dtype=torch.float64)

        self.d_in, self.d_out, self.groups, self.parts = d_in, d_out, groups, len(groups)
        self.inner = draw(prompts, self.positions, hidden, d_in) / d_in**0.5
        self.bias = draw(prompts, self.positions, hidden)
        self.outer = draw(prompts, self.positions, d_out, hidden)
        share = torch.rand(prompts, self.positions, generator=generator, dtype=torch.float64) + 0.1
        share[0, 0] = 0.0  # a prompt too short to have its first target position
        self.share = share / share.sum()

    def outputs(self, theta: Tensor, part: int = 0) -> Tensor:
        chosen = self.groups[part]
        inside = torch.einsum("pthd,rd->rpth", self.inner[chosen], theta)
        change = torch.tanh(inside + self.bias[chosen]) - torch.tanh(self.bias[chosen])
        return torch.einsum("ptoh,rpth->rpto", self.outer[chosen], change)

    def weights(self, part: int = 0) -> Tensor:
        return self.share[self.groups[part]]

    def suggested_rows(self) -> int:
        return 5

    def at(self, theta: Tensor) -> Tensor:
        """Δ(θ) of one point, site by site."""
        total = torch.zeros(self.d_out, dtype=torch.float64)
        for p in range(len(self.share)):
            for t in range(self.positions):
                bias = self.bias[p, t]
                change = torch.tanh(self.inner[p, t] @ theta + bias) - torch.tanh(bias)
                total = total + self.share[p, t] * (self.outer[p, t] @ change)
        return total


class LimitedMemory(FunctionDelta):
    """Runs out of memory above so many rows, and remembers what it was asked for."""

    def __init__(self, function: Callable[[Tensor], Tensor], d_in: int, d_out: int, most: int) -> None:
        super().__init__(function, d_in, d_out, torch.float64)
        self.most, self.asked = most, []  # type: ignore[var-annotated]

    def outputs(self, theta: Tensor, part: int = 0) -> Tensor:
        self.asked.append(len(theta))
        if len(theta) > self.most:
            raise torch.OutOfMemoryError(f"{len(theta)} rows do not fit")
        return super().outputs(theta, part)


def orthonormal(d: int, m: int, seed: int) -> Tensor:
    q, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((d, m)))
    return torch.from_numpy(q)


def unit(d: int, m: int, seed: int) -> Tensor:
    columns = np.random.default_rng(seed).standard_normal((d, m))
    return torch.from_numpy(columns / np.linalg.norm(columns, axis=0))


def exponential_map(W_in: Tensor, W_out: Tensor) -> FunctionDelta:
    """Δ(θ) = Σ w_i (exp⟨q_i, θ⟩ − 1), q_i the columns of W_in (d × n) and w_i those of W_out (d' × n)."""
    return FunctionDelta(lambda theta: torch.expm1(theta @ W_in) @ W_out.T, len(W_in), len(W_out), W_in.dtype)


def quadratic_map(J: Tensor, Q: Tensor, W: Tensor) -> FunctionDelta:
    """Δ(θ) = Jθ + Σ w_i ⟨q_i, θ⟩²."""
    return FunctionDelta(lambda theta: theta @ J.T + (theta @ Q).square() @ W.T, J.shape[1], J.shape[0], J.dtype)


def jacobian(delta: SiteMap) -> Tensor:
    zero = torch.zeros(delta.d_in, dtype=torch.float64)
    return torch.autograd.functional.jacobian(delta.at, zero)  # type: ignore[no-any-return]


def hessian(delta: SiteMap) -> Tensor:
    """T⁽²⁾ at 0, d' × d × d."""
    zero = torch.zeros(delta.d_in, dtype=torch.float64)
    rows = [torch.autograd.functional.hessian(lambda x, o=o: delta.at(x)[o], zero) for o in range(delta.d_out)]
    return torch.stack(rows)


def normal_equations(sigma: Callable[[Array], Array], U: Tensor, V: Tensor, values: Tensor) -> tuple[Array, Array]:
    """K and b of K α = b, entry by entry."""
    u, v, value = (x.double().numpy() for x in (U, V, values))
    m = u.shape[1]
    K = np.array([[u[:, i] @ u[:, j] * sigma(v[:, i] @ v[:, j]) for j in range(m)] for i in range(m)])
    return K, np.array([u[:, i] @ value[:, i] for i in range(m)])
