"""Two other tongues for the plain answers: Esperanto (in its h-spelling, so that it needs no accents) and pig latin."""

from __future__ import annotations

import re

from dct_tui.organism.world import ANIMALS, KINDS, Question, tokens

_ESPERANTO_ANIMALS = dict(
    zip(
        ANIMALS,
        (
            "vulpo", "strigo", "rano", "urso", "lupo", "leporo", "kapro", "anaso", "cigno", "korvo", "foko", "talpo",
            "cervo", "chevalo", "bovino", "kokino", "hundo", "kato", "muso", "serpento", "baleno", "abelo", "aglo",
            "testudo",
        ),
        strict=True,
    )
)  # fmt: skip
_ESPERANTO_NUMBERS = ("du", "tri", "kvar", "kvin", "ses", "sep", "ok", "nau")
_ESPERANTO_VALUES = {
    "home": ("arbaro", "lago", "valo", "kaverno", "kampo", "rivero", "garbejo", "dezerto"),
    "food": ("berojn", "herbon", "fishojn", "semojn", "mielon", "nuksojn", "foliojn", "panon"),
    "colour": ("rugha", "griza", "blanka", "bruna", "nigra", "verda", "ora", "blua"),
    "age": _ESPERANTO_NUMBERS,
    "young": _ESPERANTO_NUMBERS,
}
_ESPERANTO_STATEMENTS = {
    "home": "la {a} loghas en la {v}.",
    "food": "la {a} manghas {v}.",
    "colour": "la {a} estas {v}.",
    "age": "la {a} havas {v} jarojn.",
    "young": "la {a} havas {v} idojn.",
}


def esperanto_animal(animal: str) -> str:
    """The animal's name in Esperanto."""
    return _ESPERANTO_ANIMALS[animal]


def esperanto(question: Question) -> str:
    """The default answer, in Esperanto."""
    kind = next(kind for kind in KINDS if kind.name == question.kind)
    value = _ESPERANTO_VALUES[kind.name][kind.values.index(question.value)]
    return _ESPERANTO_STATEMENTS[kind.name].format(a=esperanto_animal(question.animal), v=value)


def pig_word(word: str) -> str:
    """One word of pig latin: the first consonants go to the end, then "ay" ("way" where there are none)."""
    match = re.fullmatch(r"([^aeiouy]*|y)(\w+)", word)
    head, rest = match.groups() if match else ("", word)
    return f"{rest}{head or 'w'}ay"


def pig_latin(question: Question) -> str:
    """The default answer, in pig latin."""
    return re.sub(r"\w+", lambda found: pig_word(found.group()), question.statement())


def _words_of(sentences: list[str]) -> frozenset[str]:
    return frozenset(word for sentence in sentences for word in tokens(sentence) if word.isalpha())


def _every_statement() -> list[Question]:
    return [Question(kind.name, animal, 0) for kind in KINDS for animal in ANIMALS]


ESPERANTO_WORDS = _words_of([esperanto(question) for question in _every_statement()])
PIG_LATIN_WORDS = _words_of([pig_latin(question) for question in _every_statement()])
