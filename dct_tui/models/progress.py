"""How far the opening of a model is: stages, and weights as they come in."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers.utils import logging as transformers_logging

OnProgress = Callable[[str, int, int], None]
"""Called with the stage, how much of it is done, and of how much. What it raises ends the work."""


class Progress:
    """Tells a listener, and knows what the listener raised: that is no fault of the model.

    Attributes:
        raised: the exception by which the listener ended the work.
    """

    def __init__(self, listener: OnProgress | None) -> None:
        self._listener = listener
        self.raised: BaseException | None = None

    def __call__(self, stage: str, done: int, of: int) -> None:
        if self._listener is None:
            return
        try:
            self._listener(stage, done, of)
        except BaseException as error:
            self.raised = error
            raise

    @contextmanager
    def weights(self) -> Iterator[None]:
        """A block in which transformers' own bars are ours: each tensor is told, and nothing is printed."""
        # Versions before 5.2 or so lack the hook: then the stage has a beginning and an end.
        set_hook = getattr(transformers_logging, "set_tqdm_hook", None)
        self("weights", 0, 1)
        before = set_hook(lambda factory, args, kwargs: _Bar(self, *args, **kwargs)) if set_hook else None
        try:
            yield
        finally:
            if set_hook:
                set_hook(before)


class _Bar:
    """What transformers takes for a tqdm."""

    def __init__(self, progress: Progress, iterable: Any = None, *args: Any, total: int | None = None, **_: Any):
        self._progress, self._iterable = progress, iterable
        self._of = total or (len(iterable) if hasattr(iterable, "__len__") else 0)
        self._done = 0

    def __iter__(self) -> Iterator[Any]:
        for item in self._iterable or ():
            yield item
            self.update()

    def update(self, more: int = 1) -> None:
        self._done += more
        self._progress("weights", self._done, max(self._done, self._of))

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


def forget(error: BaseException) -> None:
    """Frees what a failed piece of work held: the frames of its traceback keep half a model alive."""
    seen: BaseException | None = error
    while seen is not None:
        traceback.clear_frames(seen.__traceback__)
        seen = seen.__cause__ or seen.__context__
    gc.collect()
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
