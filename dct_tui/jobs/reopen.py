"""Opening the model a session belongs to."""

from __future__ import annotations

from ..errors import DctError
from ..models.loading import DTYPES, LanguageModel, open_model
from ..sessions import Session


def reopen_model(
    session: Session,
    device: str | None = None,
    device_map: str | None = None,
    trust_remote_code: bool = False,
    allow_pickle: bool = False,
) -> LanguageModel:
    """The model of a session, in the dtype and at the commit it was fitted with.

    Raises:
        DctError: it is not there any more, or is another one now.
    """
    recorded = session.record.model
    dtype = next((name for name, dtype in DTYPES.items() if str(dtype) == f"torch.{recorded.dtype}"), "auto")
    lm = open_model(
        recorded.spec,
        dtype=dtype,  # type: ignore[arg-type]
        device=device,
        device_map=device_map,
        revision=recorded.commit,
        trust_remote_code=trust_remote_code,
        allow_pickle=allow_pickle,
    )
    if (lm.depth, lm.width) != (recorded.depth, recorded.width):
        raise DctError(
            f"{recorded.spec} has {lm.depth} blocks of width {lm.width} now, "
            f"and {recorded.depth} of {recorded.width} when session {session.name} was made",
            "restore the model it was fitted on",
        )
    return lm
