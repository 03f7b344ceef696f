"""Which folder a fit will be in, told before its turn comes. Imports no torch: it is asked when a fit is asked for."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from dct_tui.errors import DctError
from dct_tui.paths import expand, sessions_root
from dct_tui.sessions import find_session, new_session_path

from ..messages import StartFit

__all__ = ["planned_path", "possible_paths"]


def planned_path(request: StartFit, taken: Collection[Path]) -> Path | None:
    """The folder that is asked for, else a new one that is not `taken` by others.

    None where it cannot be told yet: the fit says what is wrong when its turn comes.
    """
    with suppress(DctError, OSError):
        if request.session is not None:
            return expand(request.session).absolute()
        return _new_path(request, taken)
    return None


def possible_paths(text: str) -> set[Path]:
    """The folders that `text` may mean, of a session that is there or of one that will be. Raises DctError: of none."""
    with suppress(DctError):
        return {find_session(text).absolute()}
    return {expand(text).absolute(), (sessions_root() / text).absolute()}


def _new_path(request: StartFit, taken: Collection[Path]) -> Path | None:
    from dct_tui.models.catalog import find_model
    from dct_tui.models.layer_range import chosen_range
    from dct_tui.models.summary import depth_of

    source = find_model(request.model.name, request.model.revision)
    depth = depth_of(source)
    if depth is None:
        return None
    layers = chosen_range(depth, request.fit.source, request.fit.target)
    path = new_session_path(source.title, layers.source, layers.target, request.fit.method, taken=taken)
    return path.absolute()
