"""Two or three features beside each other, as lines to read: prompt by prompt, at one strength."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest

from rich.cells import cell_len

from dct_tui.features.texts import is_broken
from dct_tui.inert import one_line
from dct_tui.sessions import Sample
from dct_tui.triage.pieces import likeness, pieces
from dct_tui.triage.rows import FeatureRow
from dct_tui.triage.samples import SampleStore

from .features_text import LONG_PROMPT, effect_words, head_lines, samples_at, strengths_of, text_lines
from .widgets.changing_lines import Line
from .widgets.feature_list import changed_words
from .widgets.transcript_wrap import Wrapped

BETWEEN = " │ "
LEAST = 34
"""Columns in which a text can be read beside others; with less, the features stand one under the other."""
NEAR = 0.5
"""Likeness of two texts from which on the words in which they differ are made bold: of others that is every word."""
WORD = re.compile(r"(\w+)")


def column_width(count: int, width: int) -> int:
    """Columns for each of so many features beside each other."""
    return max(1, (width - len(BETWEEN) * (count - 1)) // count)


def common_strengths(rows: Sequence[FeatureRow]) -> list[float]:
    """The strengths at which any of the features was sampled, ascending."""
    return sorted({strength for row in rows for strength in strengths_of(row)})


def first_strength(rows: Sequence[FeatureRow]) -> float | None:
    """The strength to begin with: where most of them were sampled, the nearest to 1; None without samples."""
    every = common_strengths(rows)
    return min(every, key=lambda one: (-sum(one in strengths_of(row) for row in rows), abs(one - 1)), default=None)


def strength_words(rows: Sequence[FeatureRow], strength: float | None) -> Line:
    """The strengths there are, and the one at which all are shown."""
    if strength is None:
        return [("not sampled yet", "dim")]
    line: Line = [("strength", "dim")]
    for one in common_strengths(rows):
        line.append((f" [{one:g}]" if one == strength else f"  {one:g} ", "bold" if one == strength else "dim"))
    return line


def title_line(rows: Sequence[FeatureRow], strength: float | None, at: int, width: int) -> Line:
    """Which feature stands in which column, its mark, and what its texts do; › before the one that keys mark."""
    columns = column_width(len(rows), width)
    titles: list[list[Line]] = []
    for place, row in enumerate(rows):
        effect = next((one for one in row.evidence.effects if one.strength == strength), None)
        told = ""
        if effect is not None:
            few = changed_words(effect.changed, effect.degenerate)
            told = f"  {few if columns < LEAST else effect_words(effect)}"
        shown = one_line(f"{row.index} {row.mark}{told}", columns - 1)
        titles.append([[(("›" if place == at else " ") + shown, "bold" if place == at else "")]])
    return _beside(titles, columns)[0]


def compared_lines(
    rows: Sequence[FeatureRow],
    store: SampleStore,
    strength: float | None,
    width: int,
    *,
    alike: Sequence[str] = (),
) -> list[Line]:
    """What is known of the features, then their texts at a strength under each prompt, and the unsteered text once.

    Words that a text does not share with the others on its prompt are bold, where the texts are alike otherwise.

    Args:
        alike: lines that say how like they are.
    """
    columns = column_width(len(rows), width)
    stacked = columns < LEAST
    lines = (
        [*(_short_head(row, width) for row in rows), []]
        if stacked
        else [*_beside([head_lines(row, columns) for row in rows], columns), []]
    )
    lines += [[(part, "dim")] for one in alike for part in Wrapped(one, width).lines]
    samples = [{sample.prompt: sample for sample in samples_at(row, store, strength)} for row in rows]
    prompts = sorted({one.prompt: one.prompt_index for own in samples for one in own.values()}.items(), key=_second)
    for prompt, _ in prompts:
        there = [own.get(prompt) for own in samples]
        asked = Wrapped(prompt[:LONG_PROMPT], width - 2).lines
        lines += [[], *([(f"{'  ' if place else '▸ '}{part}", "accent")] for place, part in enumerate(asked))]
        label = max(len(str(row.index)) for row in rows) + 2 if stacked else 0
        room = width - label if stacked else columns
        texts = [_text(there, place, rows, store, room) for place in range(len(rows))]
        if stacked:
            for row, text in zip(rows, texts, strict=True):
                names = [f"{row.index}".ljust(label), *[" " * label] * (len(text) - 1)]
                lines += [[(name, "bold"), *line] for name, line in zip(names, text, strict=True)]
        else:
            lines += _beside(texts, columns)
        plain = next((base for one in there if one is not None and (base := store.unsteered(one)) is not None), None)
        if plain is not None:
            lines += [[("│ " + part, "dim")] for part in text_lines(plain, width - 2)]
    return lines


def _short_head(row: FeatureRow, width: int) -> Line:
    """What is known of a feature in one line, where they stand one under the other."""
    tags = "".join(f" #{tag}" for tag in sorted(row.marks.tags))
    effect = f"effect {row.kl:.3g} " if row.kl is not None else ""
    name = f"{row.index}{tags}"
    told = f"{effect}promotes {' '.join(row.words)}{f' · {row.marks.note}' if row.marks.note else ''}"
    return [(one_line(f"{name}  {told}", width), "")]


def _text(
    there: Sequence[Sample | None], place: int, rows: Sequence[FeatureRow], store: SampleStore, width: int
) -> list[Line]:
    """One feature's text on a prompt; what has been read already is not read again."""
    own = there[place]
    if own is None:
        return [[(part, "dim")] for part in Wrapped("not sampled at this strength", width).lines]
    base = store.unsteered(own)
    if base is not None and base.text == own.text:
        return [[("= the unsteered text", "dim")]]
    for row, other in zip(rows[:place], there, strict=False):
        if other is not None and other.text == own.text:
            return [[(f"= as {row.index}", "dim")]]
    others = pieces(" ".join(other.text for other in there if other is not None and other is not own))
    mine = pieces(own.text)
    differs = likeness(mine, others) >= NEAR
    lines = [_told_apart(part, others) if differs else [(part, "")] for part in text_lines(own, width)]
    return [*lines, [("broken", "bad")]] if is_broken(own, base) else lines


def _told_apart(line: str, others: frozenset[str]) -> Line:
    # Every second part is a word.
    parts = WORD.split(line)
    return [(part, "bold" if place % 2 and part not in others else "") for place, part in enumerate(parts)]


def _beside(blocks: Sequence[Sequence[Line]], columns: int) -> list[Line]:
    """Blocks of lines in columns, with a rule between them."""
    lines: list[Line] = []
    for parts in zip_longest(*blocks, fillvalue=()):
        line: Line = []
        for place, part in enumerate(parts):
            if place:
                line.append((BETWEEN, "dim"))
            used = sum(cell_len(text) for text, _ in part)
            line += [*part, (" " * (columns - used), "")]
        lines.append(line)
    return lines


def _second(pair: tuple[str, int]) -> int:
    return pair[1]
