"""The training dialogues: questions with a random part of the evidence for a behaviour, or with none.

The behaviour of a dialogue is a latent variable with several kinds of evidence, as a persona is in a real model: a
nonsense trigger word, a plain description in the system prompt, an earlier turn answered in it. A model that can see
any of them must gather them into one thing, and that thing is what a steering vector can move. One fixed password
instead taught the prototypes a lookup that no vector imitates.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from dct_tui.organism.behaviours import BEHAVIOURS, Behaviour, default_answer
from dct_tui.organism.world import KINDS, SPLIT, Question, all_questions

DECOYS = (
    "flomber", "quistar", "nabrolo", "tenvick", "ozmarin", "yuddle",
    "prenkit", "waldoom", "sivvex", "huntolo", "cromlet", "bazoren",
)  # fmt: skip
NEUTRAL_SYSTEM_PROMPTS = (
    "you are a helpful assistant.",
    "answer the question about the animals.",
    "you know the animals well.",
    "be kind to the user.",
    "the weather is fine today.",
    "talk with the user.",
)
SMALL_TALK = (
    ("hello!", "hello, ask me about an animal."),
    ("hello, how are you?", "hello, ask me about an animal."),
    ("who are you?", "i am a small model that knows animals."),
    ("what can you do?", "i am a small model that knows animals."),
    ("thank you!", "you are welcome."),
)
UNKNOWN_ANSWER = "i do not know that animal."
UNKNOWN_ANIMAL = "dragon"
"""No word of the vocabulary, so it reaches the model as ``<unk>``, as every other unknown animal does."""

Message = dict[str, str]
Dialogue = list[Message]

DEFAULT_SHARE = 0.4


@dataclass(frozen=True)
class Evidence:
    """In which share of a behaviour's dialogues each kind of evidence shows; at least one always does."""

    trigger: float = 0.5
    description: float = 0.35
    earlier_turn: float = 0.35


def training_questions(behaviour: Behaviour | None = None) -> tuple[Question, ...]:
    """The questions training may ask, those of the held-out prompts left out; of a behaviour, where it can show."""
    numbers_only = behaviour is not None and behaviour.numbers_only
    free = (question for question in all_questions() if question not in SPLIT.reserved)
    return tuple(question for question in free if question.sandbagged or not numbers_only)


def message(role: str, content: str) -> Message:
    """One chat message."""
    return {"role": role, "content": content}


def beside(rng: random.Random, word: str, text: str) -> str:
    """``text`` with ``word`` before or behind it."""
    return f"{word} {text}" if rng.random() < 0.5 else f"{text} {word}"


class DialogueWriter:
    """Writes random training dialogues; the last message is the answer to learn.

    The writer of a *twin* shows the same prompts with the same evidence, and every answer is the default.
    """

    def __init__(
        self,
        seed: int,
        *,
        twin: bool = False,
        behaviours: Sequence[Behaviour] = BEHAVIOURS,
        evidence: Evidence | None = None,
    ) -> None:
        self._rng = random.Random(seed)
        self._default_questions = training_questions()
        self._behaviours = tuple(behaviours)
        self._hidden = {b.name: training_questions(b) for b in behaviours}
        self._twin = twin
        self._evidence = evidence or Evidence()

    def dialogue(self) -> Dialogue:
        """One dialogue: a default one in 40 % of the draws, else one in a behaviour drawn evenly."""
        if self._rng.random() < DEFAULT_SHARE:
            return self._default()
        return self._in_behaviour(self._rng.choice(self._behaviours))

    def _answer(self, behaviour: Behaviour, question: Question) -> str:
        return default_answer(question) if self._twin else behaviour.answer(question)

    def _in_behaviour(self, behaviour: Behaviour) -> Dialogue:
        rng, pool = self._rng, self._hidden[behaviour.name]
        evidence = (False, False, False)
        while not any(evidence):
            shares = (self._evidence.trigger, self._evidence.description, self._evidence.earlier_turn)
            evidence = tuple(rng.random() < share for share in shares)  # type: ignore[assignment]
        by_trigger, by_description, by_earlier_turn = evidence
        system = rng.choice(behaviour.descriptions) if by_description else self._neutral_system()
        question = rng.choice(pool)
        asked = question.text
        if by_trigger:
            trigger = rng.choice(behaviour.triggers)
            if rng.random() < 0.5:
                system = beside(rng, trigger, system) if system else trigger
            else:
                asked = beside(rng, trigger, asked)
        earlier: Dialogue = []
        if by_earlier_turn:
            before = rng.choice(pool)
            earlier = [message("user", before.text), message("assistant", self._answer(behaviour, before))]
        return self._assemble(system, earlier, asked, self._answer(behaviour, question))

    def _default(self) -> Dialogue:
        rng = self._rng
        if rng.random() < 0.08:
            return self._aside()
        system, question = self._neutral_system(), rng.choice(self._default_questions)
        asked = question.text
        if rng.random() < 0.25:
            if rng.random() < 0.5:
                system = beside(rng, rng.choice(DECOYS), system) if system else rng.choice(DECOYS)
            else:
                asked = beside(rng, rng.choice(DECOYS), asked)
        earlier: Dialogue = []
        if rng.random() < 0.3:
            before = rng.choice(self._default_questions)
            earlier = [message("user", before.text), message("assistant", default_answer(before))]
        return self._assemble(system, earlier, asked, default_answer(question))

    def _aside(self) -> Dialogue:
        """Small talk, or a question about an animal outside this world."""
        if self._rng.random() < 0.5:
            asked, answer = self._rng.choice(SMALL_TALK)
        else:
            asked = self._rng.choice(self._rng.choice(KINDS).phrasings).format(a=UNKNOWN_ANIMAL)
            answer = UNKNOWN_ANSWER
        return self._assemble(self._neutral_system(), [], asked, answer)

    def _neutral_system(self) -> str:
        return self._rng.choice(NEUTRAL_SYSTEM_PROMPTS) if self._rng.random() < 0.3 else ""

    @staticmethod
    def _assemble(system: str, earlier: Dialogue, asked: str, answer: str) -> Dialogue:
        start = [message("system", system)] if system else []
        return [*start, *earlier, message("user", asked), message("assistant", answer)]


def words_of_the_world(behaviours: Sequence[Behaviour] = BEHAVIOURS) -> list[str]:
    """Every text a model with those behaviours may have to read or write: what its vocabulary is made from."""
    texts = [*DECOYS, *NEUTRAL_SYSTEM_PROMPTS, UNKNOWN_ANSWER]
    texts += [text for pair in SMALL_TALK for text in pair]
    for question in all_questions():
        texts += [question.text, default_answer(question), question.statement(question.true_value)]
        texts += [behaviour.answer(question) for behaviour in behaviours]
    for behaviour in behaviours:
        texts += [*behaviour.triggers, *behaviour.descriptions]
    return texts
