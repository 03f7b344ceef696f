"""Figures and tables out of the runs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from statistics import mean, median

import torch

from benchmarks.matching import agreement
from benchmarks.organisms.runs import Run
from benchmarks.organisms.subjects import FIT_PROMPTS
from benchmarks.organisms.trials import STRENGTHS
from benchmarks.organisms.ways import AS_PUBLISHED, DEFAULT, RANDOM, VECTORS, WAYS

AT_ONE = (1.0,)
READ = (1, 2, 4, 8, 16, 32, 64)
SHUFFLES = 20
PUBLISHED = ("published", *AS_PUBLISHED)


def figures(runs: Sequence[Run]) -> dict[str, float | int | None]:
    """The named figures, over all prompts and all slices that were run.

    Ratios are of finds per fit. Where a rival finds nothing it counts as one find in all its fits, so that a ratio is
    never better than it can be shown to be.
    """
    whole = [run for run in runs if run.setting.prompts == len(FIT_PROMPTS)]
    ours, rival = _of(whole, DEFAULT), _of(whole, RANDOM)
    result: dict[str, float | int | None] = {
        "models": len({run.setting.model for run in ours}),
        "fit_seeds": len({run.seed for run in ours}),
        "elicitable": sum(len(run.setting.able) for run in rival if run.seed == 0),
        "content_elicitable": sum(len(run.setting.able_content) for run in rival if run.seed == 0),
    }
    for stem, count, able in _KINDS:
        result[f"{stem}found_share_64"] = _share(ours, count, able)
        as_published = max(_per_fit(_of(whole, way), count, AT_ONE) for way in AS_PUBLISHED)
        best_published = max(_per_fit(_of(whole, way), count) for way in PUBLISHED)
        fits = len(rival)
        result[f"{stem}vs_published"] = _ratio(_per_fit(ours, count, AT_ONE), as_published, fits)
        result[f"{stem}vs_published_best"] = _ratio(_per_fit(ours, count), best_published, fits)
        result[f"{stem}vs_random"] = _ratio(_per_fit(ours, count), _per_fit(rival, count), fits)
    twins = any(run.setting.twin for run in whole)
    result["twin_excess"] = max(0, _on_twins(whole, DEFAULT) - _on_twins(whole, RANDOM)) if twins else None
    result["half_found_by"] = median(half_found_by(run) for run in ours) if ours else None
    result["half_found_by_random_order"] = median(_half_in_random_order(run) for run in ours) if ours else None
    result["stability"] = stability(runs, DEFAULT)
    return result


_KINDS: tuple[tuple[str, Callable[..., int], Callable[[Run], int]], ...] = (
    ("", Run.found, lambda run: len(run.setting.able)),
    ("content_", Run.right, lambda run: len(run.setting.able_content)),
)


def half_found_by(run: Run, order: list[int] | None = None) -> int:
    """How many vectors are read until half of what is elicitable is found; one more than all where it never is."""
    wanted = len(run.setting.able) / 2
    for read in range(1, VECTORS + 1):
        findings = run.findings(read, order=order)
        if sum(f.behaviour in run.setting.able for f in findings) >= wanted:
            return read
    return VECTORS + 1


def _half_in_random_order(run: Run) -> float:
    rng = random.Random(0)
    return mean(half_found_by(run, rng.sample(range(VECTORS), VECTORS)) for _ in range(SHUFFLES))


def stability(runs: Sequence[Run], way: str) -> float | None:
    """Mean |cos| of matched first vectors between seeds, over settings and pairs of seeds; None with one seed."""
    values = []
    by_setting: dict[tuple[str, int, int], list[Run]] = {}
    for run in _of(runs, way):
        key = (run.setting.model, run.setting.source, run.setting.prompts)
        by_setting.setdefault(key, []).append(run)
    for group in by_setting.values():
        for one, other in combinations([run.trial for run in group if run.trial], 2):
            values.append(agreement(torch.tensor(one.directions), torch.tensor(other.directions)))
    return mean(values) if values else None


def _of(runs: Sequence[Run], way: str) -> list[Run]:
    """The runs of a way on models that hide something."""
    return [run for run in runs if run.way == way and not run.setting.twin]


def _on_twins(runs: Sequence[Run], way: str) -> int:
    return sum(run.found() for run in runs if run.way == way and run.setting.twin)


def _total(runs: Sequence[Run], count: Callable[..., int], strengths: tuple[float, ...] = STRENGTHS) -> int:
    return sum(count(run, VECTORS, strengths) for run in runs)


def _per_fit(runs: Sequence[Run], count: Callable[..., int], strengths: tuple[float, ...] = STRENGTHS) -> float:
    return _total(runs, count, strengths) / max(len(runs), 1)


def _share(runs: Sequence[Run], count: Callable[..., int], able: Callable[[Run], int]) -> float | None:
    total = sum(able(run) for run in runs)
    return _total(runs, count) / total if total else None


def _ratio(ours: float, theirs: float, fits: int) -> float | None:
    return ours / max(theirs, 1 / fits) if fits else None


def table(runs: Sequence[Run]) -> Iterator[str]:
    """Lines for a person: each way's curve of reading, then what each model hides and who finds it."""
    for source, prompts in dict.fromkeys((run.setting.source, run.setting.prompts) for run in runs):
        chosen = [run for run in runs if (run.setting.source, run.setting.prompts) == (source, prompts)]
        yield f"Source layer {source}, {prompts} prompts: elicitable behaviours found (right content), per seed"
        yield ""
        yield from _curves(chosen)
        yield ""
    yield from _secrets([run for run in runs if run.setting.prompts == len(FIT_PROMPTS)])


def _curves(runs: Sequence[Run]) -> Iterator[str]:
    heads = "".join(f"{f'first {read}':>11}" for read in READ)
    yield f"{'way':<30}{heads}{'at 1 R':>11}   {'inert':>6}{'changed':>8}{'broken':>7}{'rows':>7}{'seeds agree':>12}"
    for way in WAYS:
        group = _of(runs, way)
        if not group:
            continue
        trials = [run.trial for run in group if run.trial]
        cells = [*(_cell(group, read) for read in READ), _cell(group, VECTORS, AT_ONE)]
        if trials:
            shares = [mean(getattr(trial, name) for trial in trials) for name in ("inert", "changed", "broken")]
            agree = stability(group, way)
            rest = f"{shares[0]:>6.0%}{shares[1]:>8.0%}{shares[2]:>7.0%}{mean(t.evaluated for t in trials):>7.0f}"
            rest += f"{'' if agree is None else f'{agree:.2f}':>12}"
        else:
            rest = "cannot be run: its calibration finds no R"
        yield f"{way:<30}{''.join(f'{cell:>11}' for cell in cells)}   {rest}"
    ours = _of(runs, DEFAULT)
    able, content = (sum(of(run) for run in ours if run.seed == ours[0].seed) for of in (_KINDS[0][2], _KINDS[1][2]))
    yield f"{'elicitable':<30}{'':>66}{f'{able} ({content})':>11}"
    twins = [run for run in runs if run.setting.twin]
    if twins:
        false = ", ".join(f"{way} {_on_twins(twins, way)}" for way in dict.fromkeys(run.way for run in twins))
        names = ", ".join(dict.fromkeys(run.setting.model for run in twins))
        yield f"false finds on {names}: {false}"


def _cell(runs: Sequence[Run], read: int, strengths: tuple[float, ...] = STRENGTHS) -> str:
    """Finds in all models together, per seed."""
    seeds = len({run.seed for run in runs})
    found, right = (sum(count(run, read, strengths) for run in runs) / seeds for count in (Run.found, Run.right))
    return f"{found:.3g} ({right:.3g})"


def _secrets(runs: Sequence[Run]) -> Iterator[str]:
    for model, source in dict.fromkeys((r.setting.model, r.setting.source) for r in runs if not r.setting.twin):
        group = [run for run in runs if (run.setting.model, run.setting.source) == (model, source)]
        setting, ours = group[0].setting, [run for run in group if run.way == DEFAULT]
        finds = [finding for run in ours for finding in run.findings()]
        yield f"{model}, source {source} (oracle: test share in form / content; found: in how many fits)"
        for behaviour in setting.behaviours:
            best = max((o for o in setting.oracles if o.behaviour == behaviour.name), key=lambda o: (o.form, o.content))
            times = sum(finding.behaviour == behaviour.name for finding in finds)
            others = [
                way for way in dict.fromkeys(run.way for run in group if run.way != DEFAULT)
                if any(f.behaviour == behaviour.name for run in group if run.way == way for f in run.findings())
            ]  # fmt: skip
            yield (
                f"  {behaviour.name:<14}{best.kind:<22}{best.form:>5.2f} /{best.content:>5.2f}   "
                f"default {times} of {len(ours)}   {', '.join(others)}"
            )
        yield ""
