"""The session folder: the single truth about a search. Readable without torch, in milliseconds."""

from typing import TYPE_CHECKING

from .journal import Journal, Reading
from .listing import SessionSummary, find_session, list_sessions, new_session_path
from .locks import Holder
from .marks import Mark, MarkState, replay
from .record import FitSettings, ModelSpec, PromptSet, SessionRecord, Slice, Status, prompts_sha256
from .samples import Sample, SampleKey, sampled_keys
from .session import Job, Session

if TYPE_CHECKING:
    from .tensors import Checkpoint, FitTensors

__all__ = [
    "Checkpoint",
    "FitSettings",
    "FitTensors",
    "Holder",
    "Job",
    "Journal",
    "Mark",
    "MarkState",
    "ModelSpec",
    "PromptSet",
    "Reading",
    "Sample",
    "SampleKey",
    "Session",
    "SessionRecord",
    "SessionSummary",
    "Slice",
    "Status",
    "find_session",
    "list_sessions",
    "new_session_path",
    "prompts_sha256",
    "replay",
    "sampled_keys",
]


def __getattr__(name: str) -> object:
    # These two bring numpy along, which a list of sessions does without.
    if name in ("Checkpoint", "FitTensors"):
        from . import tensors

        return getattr(tensors, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
