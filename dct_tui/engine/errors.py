"""How a job can end other than by its result, beside the errors of every room."""

from __future__ import annotations

from dct_tui.errors import DctError, SchemaTooNew, SessionBusy, SessionDamaged

__all__ = ["KINDS", "Cancelled", "EngineGone"]


class Cancelled(DctError):  # noqa: N818
    """The job was stopped because somebody asked for that, or because a newer one took its place."""


class EngineGone(DctError):  # noqa: N818
    """The engine has ended, or the line to it was cut."""


KINDS: dict[str, type[DctError]] = {
    kind.__name__: kind for kind in (DctError, SessionBusy, SessionDamaged, SchemaTooNew, Cancelled, EngineGone)
}
"""The classes of errors by the names under which they are sent."""
