"""Values and derivatives of a Δ for many directions, in row batches that fit in memory."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor
from torch.func import jvp

from .delta import Delta

Result = TypeVar("Result", bound=Tensor | tuple[Tensor, ...])

CotangentOf = Callable[[Tensor], Tensor]
"""From values Δ(θ), rows × d', to the cotangents to pull back, rows × d'."""

SiteObjective = Callable[[Tensor, Tensor], Tensor]
"""From site changes (rows × prompts × positions × d') and weights to one number a row."""


class Products:
    """Evaluates a Δ and its derivatives on any number of rows.

    The row batch decides how sums are rounded, so it is kept, reported and can be given again: on a CPU the
    same row batch gives the same bits, on a GPU as nearly as its kernels repeat themselves. On out-of-memory it
    is halved and the work goes on.
    Batches are made equal, for a Δ may have to prepare itself for each size it is asked for.

    Attributes:
        row_batch: the most rows in one batch, as last used.
        rows_done: rows evaluated so far, a forward with a backward or a tangent counting once.
        seconds_away: how long the Δ's `on_rows` has kept us so far.
    """

    def __init__(self, delta: Delta, row_batch: int | None = None) -> None:
        self.delta = delta
        self.row_batch = row_batch or delta.suggested_rows()
        self.rows_done = 0
        self.seconds_away = 0.0
        self._has_tangents = True

    def values(self, theta: Tensor) -> Tensor:
        """Δ(θ), rows × d'."""
        return self._batched(self._values, theta)

    def pullback(self, theta: Tensor, cotangent_of: CotangentOf) -> tuple[Tensor, Tensor]:
        """Δ(θ) and J(θ)ᵀc with c = cotangent_of(Δ(θ)): a cotangent may depend on the value it belongs to.

        Returns:
            values (rows × d') and gradients (rows × d).
        """

        def one_batch(points: Tensor) -> tuple[Tensor, Tensor]:
            points = points.detach().requires_grad_()
            value = sum_parts(self.delta, points)
            (gradient,) = torch.autograd.grad(value, points, cotangent_of(value.detach()))
            return value.detach(), gradient

        return self._batched(one_batch, theta)

    def site_gradient(self, theta: Tensor, objective: SiteObjective) -> tuple[Tensor, Tensor]:
        """An objective that sums over prompts, and its gradient.

        Returns:
            objective (rows) and gradients (rows × d).
        """

        def one_batch(points: Tensor) -> tuple[Tensor, Tensor]:
            total, gradient = points.new_zeros(len(points)), torch.zeros_like(points)
            for part in range(self.delta.parts):
                leaf = points.detach().requires_grad_()
                score = objective(self.delta.outputs(leaf, part), self.delta.weights(part))
                gradient += torch.autograd.grad(score.sum(), leaf)[0]
                total += score.detach()
            return total, gradient

        return self._batched(one_batch, theta)

    def rows_of_jacobian(self, cotangents: Tensor) -> Tensor:
        """Jᵀc at θ = 0 for each row c of `cotangents` (rows × d'); rows × d."""

        def one_batch(batch: Tensor) -> Tensor:
            points = batch.new_zeros(len(batch), self.delta.d_in).requires_grad_()
            (gradient,) = torch.autograd.grad(sum_parts(self.delta, points), points, batch)
            return gradient

        return self._batched(one_batch, cotangents)

    def pushforward(self, tangent: Tensor) -> Tensor:
        """J v at θ = 0 for each row v of `tangent`; rows × d'."""

        def one_batch(batch: Tensor) -> Tensor:
            return self._derivative(torch.zeros_like(batch), batch).detach()

        with self.delta.forward_mode(), torch.no_grad():
            return self._batched(one_batch, tangent)

    def curvature(self, tangent: Tensor) -> Tensor:
        """T⁽²⁾(·, v, v), the second derivative of Δ at 0 along each row v; rows × d'."""

        def one_batch(batch: Tensor) -> Tensor:
            # A tangent of a tangent lacks formulas for common activations, so the second derivative is read off
            # as the gradient in c of ⟨c, T⁽²⁾(·, v, v)⟩, which is linear in c.
            points = torch.zeros_like(batch).requires_grad_()
            cotangent = batch.new_zeros(len(batch), self.delta.d_out).requires_grad_()
            first = (self._derivative(points, batch) * cotangent).sum()
            (along,) = torch.autograd.grad(first, points, create_graph=True, materialize_grads=True)
            (second,) = torch.autograd.grad((along * batch).sum(), cotangent, materialize_grads=True)
            return second

        with self.delta.forward_mode():
            return self._batched(one_batch, tangent)

    def curvature_gradient(self, cotangent: Tensor, tangent: Tensor) -> Tensor:
        """T⁽²⁾(u, v, ·) at 0 for each pair of rows: the gradient in the base point of ⟨u, J(θ)v⟩; rows × d."""

        def one_batch(left: Tensor, right: Tensor) -> Tensor:
            points = torch.zeros_like(right).requires_grad_()
            slope = (self._derivative(points, right) * left).sum()
            (gradient,) = torch.autograd.grad(slope, points, materialize_grads=True)
            return gradient

        with self.delta.forward_mode():
            return self._batched(one_batch, cotangent, tangent)

    def _values(self, points: Tensor) -> Tensor:
        with torch.no_grad():
            return sum_parts(self.delta, points)

    def _derivative(self, points: Tensor, tangent: Tensor) -> Tensor:
        total = tangent.new_zeros(len(tangent), self.delta.d_out)
        for part in range(self.delta.parts):
            total = total + self._part_derivative(points, tangent, partial(self.delta.mean, part=part))
        return total

    def _part_derivative(self, points: Tensor, tangent: Tensor, mean: Callable[[Tensor], Tensor]) -> Tensor:
        if self._has_tangents:
            try:
                derivative: Tensor = jvp(mean, (points,), (tangent,))[1]
                return derivative
            except torch.OutOfMemoryError:
                raise
            except RuntimeError:
                # Operations written for training alone, quantised products among them, know no tangents.
                self._has_tangents = False
        return _derivative_by_pullbacks(points, tangent, mean)

    def _batched(self, one_batch: Callable[..., Result], *rows: Tensor) -> Result:
        results = list(self._each_batch(one_batch, rows))
        if isinstance(results[0], tuple):
            return tuple(torch.cat(column) for column in zip(*results, strict=True))  # type: ignore[return-value]
        return torch.cat(results)  # type: ignore[return-value,arg-type]

    def _each_batch(self, one_batch: Callable[..., Result], rows: tuple[Tensor, ...]) -> Iterator[Result]:
        start, count = 0, len(rows[0])
        while start < count:
            size = _even_share(count - start, self.row_batch)
            self._report(size)
            result: Result | None
            try:
                result = one_batch(*(row[start : start + size] for row in rows))
            except torch.OutOfMemoryError:
                if size == 1:
                    raise
                result = None
            if result is None:
                # Not while handling the error: its traceback would keep the failed batch's memory.
                torch.cuda.empty_cache()
                self.row_batch = size // 2
                continue
            yield result
            start += size
            self.rows_done += size

    def _report(self, size: int) -> None:
        if self.delta.on_rows is not None:
            before = time.perf_counter()
            self.delta.on_rows(size)
            self.seconds_away += time.perf_counter() - before


def _derivative_by_pullbacks(points: Tensor, tangent: Tensor, mean: Callable[[Tensor], Tensor]) -> Tensor:
    """J(θ)v, read off as the gradient in c of ⟨J(θ)ᵀc, v⟩, which is linear in c."""
    with torch.enable_grad():
        leaf = points if points.requires_grad else points.detach().requires_grad_()
        value = mean(leaf)
        cotangent = torch.zeros_like(value).requires_grad_()
        (pulled,) = torch.autograd.grad(value, leaf, cotangent, create_graph=True, materialize_grads=True)
        (pushed,) = torch.autograd.grad(
            (pulled * tangent).sum(), cotangent, create_graph=points.requires_grad, materialize_grads=True
        )
        return pushed


def _even_share(rows: int, most: int) -> int:
    """Rows in the next of as few batches as possible, so that their sizes differ by one at most."""
    return math.ceil(rows / math.ceil(rows / most))


def sum_parts(delta: Delta, theta: Tensor) -> Tensor:
    """Δ(θ), rows × d', over all parts of a Δ, differentiable."""
    total = delta.mean(theta, 0)
    for part in range(1, delta.parts):
        total = total + delta.mean(theta, part)
    return total
