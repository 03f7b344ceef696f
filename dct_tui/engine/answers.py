"""What an engine says of itself and of what it would take, as it is sent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class JobState:
    """A job that waits or runs. `session` is a path where it belongs to one."""

    id: int
    do: str
    session: str | None = None
    chat: str | None = None
    """Whose reply it is."""
    state: str = "waiting"
    """`waiting`, `running` or `paused`."""
    note: str = ""
    """How far it is, in a few words."""


@dataclass(frozen=True, kw_only=True)
class EngineState:
    """What an engine is doing."""

    pid: int
    version: str
    started: str
    home: str
    """The data folder it was started for."""
    model: str | None = None
    """The name of the model it holds; None before one is loaded."""
    device: str | None = None
    loading: str | None = None
    jobs: tuple[JobState, ...] = ()
    memory: int = 0
    """Bytes: of the device where there is one, else of the process."""
    active: str = ""
    """When something was last asked for or done; UTC, ISO 8601."""


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What loading and fitting would take. `seconds` is None where no speed is known yet."""

    device: str
    load_bytes: int
    fit_bytes: int | None
    available_bytes: int
    seconds: float | None
    fits: bool
    notes: tuple[str, ...] = ()
