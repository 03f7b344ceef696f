"""A conversation with a model under interventions, kept in the session turn by turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ..models.generation import Row, Sampling, decode, stream
from ..models.interventions import Intervention
from ..models.loading import LanguageModel
from ..models.templating import Message, encode
from ..sessions import Journal


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

    def say(self, text: str) -> Iterator[str]:
        """Sends a message; gives the reply in pieces as it is written.

        Raises:
            DctError: a conversation longer than the model's context; the message is taken back.
        """
        message: Message = {"role": "user", "content": text}
        ids = encode(self.lm, [*self.messages, message])
        self.messages.append(message)
        self._keep(message)
        room = (self.lm.context or len(ids) + self.sampling.max_new_tokens) - len(ids)
        sampling = replace(self.sampling, max_new_tokens=max(1, min(self.sampling.max_new_tokens, room)))
        tokens: list[int] = []
        shown = ""
        for token in stream(self.lm, [Row(ids, self.interventions)], sampling):
            if token.ends:
                break
            tokens.append(token.id)
            written = decode(self.lm, tokens)
            # Half a character decodes to a replacement mark until its other bytes are there.
            if written.startswith(shown) and not written.endswith("\ufffd"):
                yield written[len(shown) :]
                shown = written
        reply: Message = {"role": "assistant", "content": decode(self.lm, tokens)}
        yield reply["content"].removeprefix(shown)
        self.messages.append(reply)
        self._keep(reply)

    def _keep(self, message: Message) -> None:
        if self.journal is not None:
            self.journal.append({**message, "setting": list(self.setting), "seed": self.sampling.seed}, durable=True)
