"""A session's model and transcoder, opened again."""

from __future__ import annotations

import torch

from ..errors import DctError
from ..models.catalog import find_model
from ..models.loading import DTYPES, LanguageModel, open_model
from ..models.progress import OnProgress
from ..sessions import Session
from ..transcoder import Transcoder
from .request import config_sha256, request_of, weights_sha256


def reopen_model(
    session: Session,
    device: str | None = None,
    device_map: str | None = None,
    trust_remote_code: bool = False,
    allow_pickle: bool = False,
    on_progress: OnProgress | None = None,
) -> LanguageModel:
    """The model of a session, in the dtype and at the commit it was fitted with; the arguments are `open_model`'s.

    Raises:
        DctError: it is not there any more, or is another one now.
    """
    recorded = session.record.model
    source = find_model(recorded.spec, recorded.commit)
    for what, now, then in (
        ("config.json has", config_sha256(source), recorded.config_sha256),
        ("weights have", weights_sha256(source), recorded.weights_sha256),
    ):
        if now != then:
            raise DctError(
                f"{recorded.spec} is not the model any more that session {session.name} was fitted on: "
                f"its {what} changed",
                "restore that model, or fit the new one into a session of its own",
            )
    dtype = next((name for name, dtype in DTYPES.items() if str(dtype) == f"torch.{recorded.dtype}"), "auto")
    return open_model(
        recorded.spec,
        dtype=dtype,  # type: ignore[arg-type]
        device=device,
        device_map=device_map,
        revision=recorded.commit,
        trust_remote_code=trust_remote_code,
        allow_pickle=allow_pickle,
        on_progress=on_progress,
    )


def read_transcoder(session: Session) -> Transcoder:
    """The fitted transcoder of a session.

    Raises:
        SessionDamaged: there is none, or it cannot be read.
    """
    tensors, request = session.read_fit(), request_of(session.record)
    config = request.config(tensors.V.shape[0], tensors.scale)
    return Transcoder(torch.from_numpy(tensors.V), torch.from_numpy(tensors.U), torch.from_numpy(tensors.alpha), config)
