"""How a job can end other than by its result, beside the errors of every room."""

from __future__ import annotations

from dct_tui.errors import ContextFull, DctError, SchemaTooNew, SessionBusy, SessionDamaged

__all__ = ["KINDS", "Cancelled", "EngineGone"]


class Cancelled(DctError):  # noqa: N818
    """The job was stopped because somebody asked for that, or because a newer one took its place."""


class EngineGone(DctError):  # noqa: N818
    """The engine has ended, or the line to it was cut."""


_ALL = (DctError, ContextFull, SessionBusy, SessionDamaged, SchemaTooNew, Cancelled, EngineGone)
KINDS: dict[str, type[DctError]] = {kind.__name__: kind for kind in _ALL}
"""The classes of errors by the names under which they are sent."""
