"""Errors a person can act on: what is wrong, and what to do next."""

from __future__ import annotations

__all__ = ["ContextFull", "DctError", "SchemaTooNew", "SessionBusy", "SessionDamaged"]


class DctError(Exception):
    """Anything that stops the work for a reason the user can do something about.

    `message` says what is wrong, `hint` what to do next (may be empty); `str(error)` is one line of both.
    A command that ends by one of these exits with `exit_code`.
    """

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        line = f"{self.message}; {self.hint}" if self.hint else self.message
        return " ".join(line.split())


class SessionBusy(DctError):  # noqa: N818
    """Another process holds the lock that this write needs."""


class SessionDamaged(DctError):  # noqa: N818
    """A file of the session folder cannot be read as what it should be."""


class ContextFull(DctError):  # noqa: N818
    """A text has more tokens than the model's context."""


class SchemaTooNew(DctError):  # noqa: N818
    """The session was written by a newer program than this one."""
