"""A conversation with a model under interventions, kept in the session turn by turn."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from ..errors import DctError
from ..models.generation import Row, Sampling, decode, stream
from ..models.interventions import Intervention
from ..models.loading import LanguageModel
from ..models.templating import Message, encode
from ..sessions import Journal, Session
from .memory import within_memory
from .rack import Ablate, Steer
from .reopen import read_transcoder


@dataclass
class Chat:
    """A conversation.

    Attributes:
        lm: the model.
        interventions: what is done to it while it replies. They may change between replies: every reply reads the
            whole conversation anew under those in force, so no state of earlier ones is left.
        sampling: how replies are drawn.
        setting: the interventions in words, kept with every reply.
        messages: the conversation so far.
        journal: where turns are kept, if anywhere.
    """

    lm: LanguageModel
    interventions: Sequence[Intervention] = ()
    sampling: Sampling = field(default_factory=lambda: Sampling(max_new_tokens=256))
    setting: Sequence[str] = ()
    messages: list[Message] = field(default_factory=list)
    journal: Journal | None = None

    def say(self, text: str) -> Generator[str]:
        """Sends a message; gives the reply in pieces as it is written.

        A reply that is stopped is kept as far as it went; a message that cannot be replied to is taken back.

        Raises:
            DctError: a conversation longer than the model's context, or no memory for it.
        """
        ids = self._encode(text)
        tokens: list[int] = []
        shown = ""
        try:
            with within_memory("say less at once, or choose --device cpu"):
                for token in stream(self.lm, [Row(ids, self.interventions)], self.sampling):
                    if token.ends:
                        break
                    tokens.append(token.id)
                    written = decode(self.lm, tokens)
                    # Half a character decodes to a replacement mark until its other bytes are there.
                    if written.startswith(shown) and not written.endswith("\ufffd"):
                        piece, shown = written[len(shown) :], written
                        yield piece
            reply = decode(self.lm, tokens)
            yield reply[len(shown) :]
        except (KeyboardInterrupt, GeneratorExit):
            self._keep(text, shown)
            raise
        self._keep(text, reply)

    def _encode(self, text: str) -> list[int]:
        try:
            ids = encode(self.lm, [*self.messages, {"role": "user", "content": text}])
        except DctError as error:
            raise DctError(error.message, "start a new chat") if self.messages else error from None
        if self.lm.context and len(ids) >= self.lm.context:
            raise DctError(
                f"the conversation fills the model's context of {self.lm.context} tokens", "start a new chat"
            )
        return ids

    def _keep(self, text: str, reply: str) -> None:
        turn: list[Message] = [{"role": "user", "content": text}, {"role": "assistant", "content": reply}]
        self.messages.extend(turn)
        if self.journal is not None:
            for message in turn:
                settings = {"setting": list(self.setting), "seed": self.sampling.seed}
                self.journal.append({**message, **settings}, durable=True)


def start_chat(
    lm: LanguageModel,
    session: Session,
    rack: Sequence[Steer | Ablate],
    sampling: Sampling | None = None,
    *,
    system: str | None = None,
    journal: Journal | None = None,
) -> Chat:
    """A conversation with a session's features on the rack.

    Args:
        system: system prompt; by default the session's.
        journal: where turns are kept; those it holds already are gone on from.

    Raises:
        DctError: a feature that the session has not, or a layer that the model has not.
    """
    transcoder, record = read_transcoder(session), session.record
    opening = record.prompts.system if system is None else system
    messages: list[Message] = [{"role": "system", "content": opening}] if opening else []
    kept = journal.read().records if journal else []
    messages += [{"role": str(turn.get("role")), "content": str(turn.get("content"))} for turn in kept]
    return Chat(
        lm,
        [one.intervention(transcoder, record.slice.source) for one in rack],
        sampling or Sampling(max_new_tokens=256),
        [str(one) for one in rack],
        messages,
        journal,
    )
