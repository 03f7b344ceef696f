"""`dct-tui resume`: go on with a fit that was interrupted."""

from __future__ import annotations

from .fit import run_and_report
from .options import AllowPickle, Device, DeviceMap, Json, SessionName, TrustRemoteCode


def resume(
    session: SessionName,
    device: Device = None,
    device_map: DeviceMap = None,
    trust_remote_code: TrustRemoteCode = False,
    allow_pickle: AllowPickle = False,
    json: Json = False,
) -> None:
    """Go on with an interrupted fit, from its last finished iteration."""
    from ..sessions import Session, find_session

    opened = Session.open(find_session(session))
    with opened.writing():
        pass  # Refused now, rather than once the model is loaded.
    from ..jobs.fit_job import resume as prepare_again
    from ..jobs.reopen import reopen_model

    lm = reopen_model(opened, device, device_map, trust_remote_code, allow_pickle)
    run_and_report(lm, prepare_again(lm, opened), json)
