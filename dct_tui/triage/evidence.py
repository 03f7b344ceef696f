"""What the samples of one feature show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ..features.texts import Pair, TextEffect, effects_of, is_broken, telling_effect
from .pieces import pieces, recurring

SEARCHED = 2000
"""Characters of a text that filters look at."""


@dataclass(frozen=True)
class Evidence:
    """The samples of one feature, read.

    Attributes:
        samples: how many there are, at all strengths.
        effects: one a strength, strengths ascending.
        best: the effect by which the feature is shown; see `telling_effect`.
        line: the text by which it is shown: the first at that strength that differs from the unsteered one and is not
            broken, else the first that differs; empty where none does.
        texts: its texts that differ from the unsteered ones (or have none to differ from), each once, cut for search.
        prompts: those on which a text differs.
        telling: pairs of its text at the best strength and the unsteered text, where they differ and it is whole.
    """

    samples: int = 0
    effects: tuple[TextEffect, ...] = ()
    best: TextEffect | None = None
    line: str = ""
    texts: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    telling: tuple[tuple[str, str], ...] = ()

    @cached_property
    def joined(self) -> str:
        """The texts in one, apart by a character that no filter can name."""
        return "\0".join(self.texts)

    @cached_property
    def lowered(self) -> str:
        """`joined` in small letters."""
        return self.joined.lower()

    @cached_property
    def lowered_texts(self) -> tuple[str, ...]:
        """The texts in small letters."""
        return tuple(text.lower() for text in self.texts)

    @cached_property
    def own(self) -> frozenset[str]:
        """Pieces of its telling texts that the unsteered texts lack."""
        return frozenset().union(*self._own_bags)

    @cached_property
    def typical(self) -> frozenset[str]:
        """Pieces that the unsteered texts lack and that recur from prompt to prompt."""
        return recurring(self._own_bags)

    @property
    def _own_bags(self) -> list[frozenset[str]]:
        return [pieces(text) - pieces(base) for text, base in self.telling]


NONE = Evidence()


def read_evidence(pairs: Iterable[Pair]) -> Evidence:
    """What the samples of one feature show, each given with the unsteered one of the same request."""
    ordered = sorted(pairs, key=lambda pair: (pair[0].strength, pair[0].prompt_index))
    effects = effects_of(ordered)
    best = telling_effect(effects)
    changed = [(sample, base) for sample, base in ordered if base is None or base.text != sample.text]
    at_best = [pair for pair in changed if best is not None and pair[0].strength == best.strength]
    whole = [pair for pair in at_best if not is_broken(*pair)]
    line = next((sample.text for sample, _ in whole + at_best), "")
    return Evidence(
        samples=len(ordered),
        effects=tuple(effects),
        best=best,
        line=line,
        texts=tuple(dict.fromkeys(sample.text[:SEARCHED].replace("\0", " ") for sample, _ in changed)),
        prompts=tuple(dict.fromkeys(sample.prompt for sample, _ in changed)),
        telling=tuple((sample.text, base.text if base is not None else "") for sample, base in whole),
    )
