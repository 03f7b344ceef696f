"""A conversation with a model under the rack, and beside it without; kept in the session message by message."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from ..errors import ContextFull, DctError
from ..models.generation import Row, Sampling, Token, decode, stream
from ..models.interventions import Intervention
from ..models.loading import LanguageModel
from ..models.templating import check_unicode, token_ids
from ..sessions import Session
from ..sessions.chats import ChatLog, ChatMessage, ChatSettings
from ..sessions.rack import RackEntry
from ..sessions.record import now
from .memory import within_memory
from .rack import interventions
from .reopen import read_transcoder

Side: TypeAlias = Literal["steered", "unsteered"]
SIDES: tuple[Side, ...] = ("steered", "unsteered")
JOIN_S = 0.1
DEFAULT = Sampling(max_new_tokens=256)


class Piece(NamedTuple):
    """Some more of a reply. Pieces never split a character."""

    side: Side
    text: str


@dataclass
class Chat:
    """A conversation.

    Every reply reads the whole conversation anew under the rack in force, so no state of earlier ones is left.

    Attributes:
        lm: the model.
        rack: what is in force; it may change between replies, by `put_on`.
        sampling: how replies are drawn.
        system: system prompt, if any.
        log: the conversation so far, and where it is kept.
        session: whose features are on the rack.
    """

    lm: LanguageModel
    session: Session
    rack: tuple[RackEntry, ...] = ()
    sampling: Sampling = DEFAULT
    system: str | None = None
    log: ChatLog = field(default_factory=ChatLog)
    _interventions: Sequence[Intervention] = field(default=(), repr=False)

    @property
    def messages(self) -> list[ChatMessage]:
        """The conversation so far."""
        return self.log.conversation.messages

    def put_on(self, rack: Iterable[RackEntry]) -> None:
        """Puts this on the rack, in place of what is there.

        Raises:
            DctError: a feature that the session has not.
            SessionDamaged: the fitted transcoder cannot be read.
        """
        self.rack = tuple(entry for entry in rack if entry.on)
        # With nothing on the rack no fit is needed: one can chat with the model before there is one.
        self._interventions = (
            interventions(self.rack, read_transcoder(self.session), self.session.record.slice.source)
            if self.rack
            else ()
        )

    def say(self, text: str) -> Generator[str]:
        """Sends a message; gives the reply in pieces as it is written.

        A reply that is stopped or fails is kept as far as it went; a message without any of one is taken back.

        Raises:
            ContextFull: the conversation is longer than the model's context.
            DctError: no memory for it.
        """
        before = len(self.messages)
        self.log.say(check_unicode(text))
        try:
            with closing(self.reply()) as pieces:
                for piece in pieces:
                    yield piece.text
        except DctError:
            if self.log.conversation.unanswered:
                self.log.cut(before)
            raise

    def reply(self, *, compare: bool = False, check: Callable[[], None] | None = None) -> Generator[Piece]:
        """Answers the last message; gives the reply in pieces as it is written, then keeps it.

        A reply that is stopped is kept as far as it went: by closing the generator, or by what `check` raises. So is
        one in whose midst the model fails, if anything of it was shown.

        Args:
            compare: whether the unsteered model answers too: in the same batch, from the same conversation and with
                the same draws.
            check: called at every token; a KeyboardInterrupt that it raises stops the reply.

        Raises:
            ContextFull: the conversation is longer than the model's context.
            DctError: there is no message to answer, or no memory.
        """
        if not self.log.conversation.unanswered:
            raise DctError("there is no message to answer", "say something")
        ids = self._encode()
        writers = [_Writer(self.lm, side) for side in SIDES[: 1 + compare]]
        rows = [Row(ids, self._interventions), Row(ids)][: 1 + compare]
        try:
            with within_memory("say less at once, or choose --device cpu"):
                for token in stream(self.lm, rows, self.sampling):
                    if check is not None:
                        check()
                    if piece := writers[token.row].take(token):
                        yield piece
            for writer in writers:
                if piece := writer.rest():
                    yield piece
        except (KeyboardInterrupt, GeneratorExit):
            self._keep(writers, stopped=True)
            raise
        except Exception:
            if any(writer.text for writer in writers):
                with suppress(DctError):  # What went wrong first is what is told.
                    self._keep(writers, stopped=True)
            raise
        self._keep(writers)

    def _encode(self) -> list[int]:
        history = self.log.conversation.history()
        opening = [{"role": "system", "content": self.system}] if self.system else []
        try:
            ids = token_ids(self.lm, [*opening, *history])
        except DctError as error:
            raise DctError(error.message, "start a new chat") if len(history) > 1 else error from None
        if self.lm.context and len(ids) >= self.lm.context:
            raise ContextFull(
                f"with this message the conversation has {len(ids)} tokens, and the model's context of "
                f"{self.lm.context} no room for them",
                "shorten the message, or start a new chat",
            )
        return ids

    def _keep(self, writers: Sequence[_Writer], *, stopped: bool = False) -> None:
        steered, unsteered = writers[0], writers[1] if len(writers) > 1 else None
        sampling = self.sampling
        self.log.answer(
            ChatMessage(
                role="assistant",
                content=steered.text,
                at=now(),
                rack=self.rack,
                settings=ChatSettings(
                    system=self.system or "",
                    max_new_tokens=sampling.max_new_tokens,
                    temperature=sampling.temperature,
                    top_p=sampling.top_p,
                    seed=sampling.seed,
                    compare=unsteered is not None,
                ),
                ended=steered.ended,
                stopped=stopped,
                unsteered=unsteered.text if unsteered else None,
                unsteered_ended=unsteered.ended if unsteered else True,
            )
        )


class _Writer:
    """One side's reply as it grows. `text` is what of it can be shown."""

    def __init__(self, lm: LanguageModel, side: Side) -> None:
        self.lm, self.side = lm, side
        self.tokens: list[int] = []
        self.text = ""
        self.ended = False

    def take(self, token: Token) -> Piece | None:
        """What can be shown once this token is there."""
        self.ended = token.ends
        if token.ends:
            return None
        self.tokens.append(token.id)
        written = decode(self.lm, self.tokens)
        # Half a character decodes to a replacement mark until its other bytes are there.
        whole = written.startswith(self.text) and not written.endswith("\ufffd")
        return self._show(written) if whole else None

    def rest(self) -> Piece | None:
        """What was held back to the end."""
        return self._show(decode(self.lm, self.tokens))

    def _show(self, written: str) -> Piece | None:
        piece, self.text = written[len(self.text) :], written
        return Piece(self.side, piece) if piece else None


def start_chat(
    lm: LanguageModel,
    session: Session,
    rack: Iterable[RackEntry],
    sampling: Sampling = DEFAULT,
    *,
    system: str | None = None,
    log: ChatLog | None = None,
) -> Chat:
    """A conversation with a session's features on the rack.

    Args:
        system: system prompt; by default the session's.
        log: where it is kept; what it holds already is gone on from.

    Raises:
        DctError: a feature that the session has not, or a layer that the model has not.
    """
    opening = session.record.prompts.system if system is None else system
    chat = Chat(lm, session, sampling=sampling, system=opening, log=log or ChatLog())
    chat.put_on(rack)
    return chat


def answer(
    chat: Chat,
    text: str | None,
    *,
    keep: int | None = None,
    compare: bool = False,
    tell: Callable[[Piece], None],
    check: Callable[[], None],
) -> ChatMessage:
    """One reply, told in pieces that are joined for about a tenth of a second. Needs `writing("chats")`.

    Args:
        text: what the person says, kept before anything else happens; None answers the last message.
        keep: how many messages of the conversation stay; None all.
        compare: whether the unsteered model answers too.
        tell: called with the pieces, in order.
        check: called at every token; a KeyboardInterrupt that it raises stops the reply, which is kept.

    Raises:
        DctError: as `Chat.reply` does; a message without a reply stays, and can be answered anew.
    """
    if keep is not None:
        chat.log.cut(keep)
    if text is not None:
        chat.log.say(text)
    with closing(_joined(chat.reply(compare=compare, check=check))) as pieces:
        for piece in pieces:
            tell(piece)
    return chat.messages[-1]


def _joined(pieces: Generator[Piece]) -> Generator[Piece]:
    """Fewer of them, so that telling them costs less."""
    waiting: dict[Side, str] = {}
    told = time.monotonic()
    with closing(pieces):
        for piece in pieces:
            waiting[piece.side] = waiting.get(piece.side, "") + piece.text
            if time.monotonic() - told >= JOIN_S:
                yield from (Piece(side, text) for side, text in waiting.items())
                waiting.clear()
                told = time.monotonic()
    yield from (Piece(side, text) for side, text in waiting.items())
