"""What the model says: samples of features, replies in chats, and what features do to the choice of a word."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from dct_tui.jobs.chat_job import answer, start_chat
from dct_tui.jobs.contrast_job import contrast_scores
from dct_tui.jobs.sample_job import all_wishes, prompts_to_sample, sample_session
from dct_tui.sessions import Session
from dct_tui.sessions.chats import ChatLog

from ..messages import Contrast, Reply, SampleFeatures
from .choices import sampling_of
from .desk import Desk

ROWS = {"cuda": 64}
FEW_ROWS = 16
"""At once: few, for the first rows asked for are on somebody's screen; on a GPU more take hardly longer."""


def sample_features(request: SampleFeatures, desk: Desk) -> dict[str, Any]:
    """Samples into the session's journal."""
    session = Session.open(Path(request.session))
    lm = desk.model_of(session)
    texts, split = prompts_to_sample(session, request.prompts or ())
    wishes = all_wishes(request.features, request.strengths, texts[: request.limit])
    rows = ROWS.get(lm.device.type, FEW_ROWS)
    samples = sample_session(lm, session, wishes, sampling_of(request.sampling), split, rows=rows, check=desk.check)
    made, of = 0, len(wishes)
    with closing(samples):
        for made, _ in enumerate(samples, 1):
            if made % rows == 0 or made == of:
                desk.tell({"made": made, "of": of})
                desk.note(f"{made} of {of}")
                desk.make_room()
    return {"made": made, "of": of}


def reply(request: Reply, desk: Desk) -> dict[str, Any]:
    """Answers in a chat, and keeps what was said."""
    session = Session.open(Path(request.session))
    lm = desk.model_of(session)
    with session.writing("chats"):
        log = ChatLog(session.chat(request.chat))
        chat = start_chat(lm, session, request.rack, sampling_of(request.sampling), system=request.system, log=log)
        said = answer(
            chat,
            request.text,
            keep=request.keep,
            compare=request.compare,
            tell=lambda piece: desk.tell({"side": piece.side, "text": piece.text}),
            check=desk.check,
        )
    return {"text": said.content, "unsteered": said.unsteered, "ended": said.ended}


def contrast(request: Contrast, desk: Desk) -> dict[str, Any]:
    """Scores every feature by two words."""
    session = Session.open(Path(request.session))
    return {"scores": contrast_scores(desk.model_of(session), session, request.towards, request.away, desk.check)}
