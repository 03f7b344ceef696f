"""A feature's samples as lines to read: a plain function of rows and samples, without a widget."""

from __future__ import annotations

from collections.abc import Sequence

from dct_tui.features.texts import TextEffect, is_broken
from dct_tui.inert import inert, one_line
from dct_tui.sessions import Sample
from dct_tui.triage.rows import FeatureRow
from dct_tui.triage.samples import SampleStore

from .widgets.changing_lines import Line
from .widgets.transcript_wrap import Wrapped

MOST_CHARACTERS = 20_000
VERDICTS = {"starred": ("★ starred", "warn"), "rejected": ("✗ rejected", "bad"), None: ("not judged", "dim")}


def strengths_of(row: FeatureRow) -> list[float]:
    """The strengths at which it was sampled, ascending."""
    return [effect.strength for effect in row.evidence.effects]


def shown_strength(row: FeatureRow, chosen: float | None) -> float | None:
    """The chosen strength, if it was sampled there, else that by which it is shown; None without samples."""
    if chosen in strengths_of(row):
        return chosen
    return row.evidence.best.strength if row.evidence.best is not None else None


def head_lines(row: FeatureRow, width: int) -> list[Line]:
    """What is known and marked."""
    verdict, style = VERDICTS[row.marks.verdict]
    facts = [f"rank {row.rank}", f"α {row.alpha:.3g}"]
    facts += [f"effect {row.kl:.3g} nats a token"] if row.kl is not None else []
    facts += [f"contrast {row.contrast:.3g}"] if row.contrast is not None else []
    title: Line = [(f"feature {row.index}  ", "bold"), (verdict, style)]
    if row.marks.tags:
        title.append(("  " + one_line(" ".join(f"#{tag}" for tag in sorted(row.marks.tags)), width), "accent"))
    lines: list[Line] = [title]
    lines += [[(line, "dim")] for line in Wrapped(" · ".join(facts), width).lines]
    lines += [[(line, "")] for line in Wrapped("promotes " + one_line(" ".join(row.words), 400), width).lines]
    if row.members:
        lines += [[(line, "")] for line in Wrapped(f"the mean of {', '.join(map(str, row.members))}", width).lines]
    elif row.imported:
        lines.append([(f"imported: {one_line(row.imported, max(2, width - 10))}", "")])
    elif row.neighbours:
        near = ", ".join(f"{index} ({cosine:.2f})" for index, cosine in row.neighbours)
        lines += [[(line, "dim")] for line in Wrapped(f"nearest {near}", width).lines]
    if row.marks.note:
        lines += [[(line, "accent")] for line in Wrapped(f"note: {one_line(row.marks.note, 2000)}", width).lines]
    return lines


def strength_lines(row: FeatureRow, strength: float | None) -> list[Line]:
    """The strengths there are, and below what the texts do at the one that is shown."""
    if strength is None:
        return [[("not sampled yet", "dim")]]
    line: Line = [("strength", "dim")]
    for one in strengths_of(row):
        line.append((f" [{one:g}]" if one == strength else f"  {one:g} ", "bold" if one == strength else "dim"))
    effect = next(effect for effect in row.evidence.effects if effect.strength == strength)
    return [line, [(effect_words(effect), "")]]


def sample_lines(row: FeatureRow, store: SampleStore, strength: float | None, width: int) -> list[Line]:
    """Its texts at a strength, prompts one under the other, each with the unsteered text where there is one."""
    lines: list[Line] = []
    for sample in samples_at(row, store, strength):
        base = store.unsteered(sample)
        same = base is not None and base.text == sample.text
        broken = "  broken" if is_broken(sample, base) else ""
        lines += [[], [("▸ " + one_line(sample.prompt[:LONG_PROMPT], max(1, width - 12)), "accent"), (broken, "bad")]]
        if same:
            lines.append([("= the unsteered text", "dim")])
        else:
            lines += [[(line, "")] for line in text_lines(sample, width)]
        if base is not None:
            lines += [[("│ " + line, "dim")] for line in text_lines(base, width - 2)]
    return lines


def samples_at(row: FeatureRow, store: SampleStore, strength: float | None) -> list[Sample]:
    """Its samples at a strength, one a prompt: the last that was made."""
    latest = {sample.prompt: sample for sample in store.of(row.index) if sample.strength == strength}
    return sorted(latest.values(), key=lambda sample: sample.prompt_index)


def plain_text(row: FeatureRow, store: SampleStore, strength: float | None) -> str:
    """The same to be copied: nothing wrapped or cut, control characters taken out."""
    marks = " ".join([VERDICTS[row.marks.verdict][0], *(f"#{tag}" for tag in sorted(row.marks.tags))])
    parts = [f"feature {row.index} (rank {row.rank}, α {row.alpha:.4g}): {' '.join(row.words)}", marks]
    parts += [f"note: {row.marks.note}"] if row.marks.note else []
    for sample in samples_at(row, store, strength):
        base = store.unsteered(sample)
        parts += ["", f"prompt: {sample.prompt}", f"strength {sample.strength:g}: {sample.text}"]
        parts += [f"unsteered: {base.text}"] if base is not None else []
    return inert("\n".join(parts))


LONG_PROMPT = 1000


def text_lines(sample: Sample, width: int) -> Sequence[str]:
    """The text of a sample, wrapped; … ends one that was cut."""
    text = sample.text[:MOST_CHARACTERS] + ("" if sample.ended else " …")
    return Wrapped(text, max(2, width)).lines


def effect_words(effect: TextEffect) -> str:
    """What the texts of a strength do."""
    changed = "" if effect.changed is None else f"changed {effect.changed:.0%}  "
    return f"{changed}broken {effect.degenerate:.0%}"
