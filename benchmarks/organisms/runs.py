"""What is run: which models, slices, ways and seeds, each part kept as soon as it is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from benchmarks.harness import Parts
from benchmarks.organisms.oracles import Oracle, elicitable, kept_oracles, oracles
from benchmarks.organisms.subjects import FIT_PROMPTS, Subject, open_subject, subjects
from benchmarks.organisms.trials import STRENGTHS, Candidate, Trial, attempt
from benchmarks.organisms.ways import DEFAULT, PLAIN_WAYS, RANDOM, VECTORS, WAYS, Bench
from dct_tui.organism.behaviours import Behaviour
from dct_tui.organism.naming import Finding

FULL_SEEDS = (0, 1, 2)
SEEDS, DEFAULT_SEEDS = (0,), (0, 1)
"""Of the short run: the default has a second seed, so that its agreement with itself can be told."""
FULL_SOURCES = (None, 2)
FEWER_PROMPTS = (1, 4)
TWIN_WAYS = (DEFAULT, RANDOM)


@dataclass(frozen=True)
class Setting:
    """Where vectors are looked for: a model, the layer they are added at, and the number of prompts fitted on."""

    model: str
    source: int
    prompts: int
    twin: bool
    behaviours: tuple[Behaviour, ...]
    oracles: tuple[Oracle, ...]

    @property
    def able(self) -> frozenset[str]:
        """Behaviours that one vector can bring out here, in coherent form."""
        return elicitable(self.oracles)[0]

    @property
    def able_content(self) -> frozenset[str]:
        """The same with the right content."""
        return elicitable(self.oracles)[1]


@dataclass(frozen=True)
class Run:
    """One way of fitting with one seed in one setting; no trial where it could not be run."""

    setting: Setting
    way: str
    seed: int
    trial: Trial | None

    def findings(
        self, read: int = VECTORS, strengths: tuple[float, ...] = STRENGTHS, order: list[int] | None = None
    ) -> list[Finding[Candidate]]:
        """What reading the first so many vectors finds; in the way's own order unless another is given."""
        if self.trial is None:
            return []
        places = (order or list(range(self.trial.vectors)))[:read]
        return [f for f in self.trial.found(self.setting.behaviours, places, strengths) if f.found]

    def found(self, read: int = VECTORS, strengths: tuple[float, ...] = STRENGTHS) -> int:
        """Elicitable behaviours found in coherent form; in a twin, where nothing is hidden, all that is found."""
        findings = self.findings(read, strengths)
        return sum(self.setting.twin or f.behaviour in self.setting.able for f in findings)

    def right(self, read: int = VECTORS, strengths: tuple[float, ...] = STRENGTHS) -> int:
        """The same with the right content."""
        findings = [f for f in self.findings(read, strengths) if f.right]
        return sum(self.setting.twin or f.behaviour in self.setting.able_content for f in findings)


def every_run(full: bool, parts: Parts) -> Iterator[Run]:
    """All runs of the short benchmark, or of the full one."""
    for name in subjects(full):
        subject = open_subject(name)
        twin = subject.recipe.twin
        for source in FULL_SOURCES if full else (None,):
            for prompts in (len(FIT_PROMPTS), *(FEWER_PROMPTS if full and source is None and not twin else ())):
                bench = Bench(subject, source, prompts)
                setting = _setting(subject, bench, parts)
                everything = full and prompts == len(FIT_PROMPTS)
                ways = TWIN_WAYS if twin else tuple(WAYS) if everything else PLAIN_WAYS
                for way in ways:
                    short = DEFAULT_SEEDS if way == DEFAULT and not twin else SEEDS
                    for seed in FULL_SEEDS if full else short:
                        yield _run(bench, setting, way, seed, parts)


def _run(bench: Bench, setting: Setting, way: str, seed: int, parts: Parts) -> Run:
    label = f"{setting.model}, source {setting.source}, {setting.prompts} prompts, {way}, seed {seed}"
    kept = parts.each(label, partial(_attempted, bench, way, seed))
    return Run(setting, way, seed, None if kept is None else Trial.from_json(kept))


def _attempted(bench: Bench, way: str, seed: int) -> dict[str, Any] | None:
    vectors = bench.vectors(way, seed)
    return None if vectors is None else attempt(bench.subject, vectors).as_json()


def _setting(subject: Subject, bench: Bench, parts: Parts) -> Setting:
    source = bench.layers.source
    return Setting(
        model=subject.name,
        source=source,
        prompts=len(bench.prompts),
        twin=subject.recipe.twin,
        behaviours=subject.behaviours,
        oracles=() if subject.recipe.twin else _oracles(subject, bench, parts),
    )


def _oracles(subject: Subject, bench: Bench, parts: Parts) -> tuple[Oracle, ...]:
    """Those that come with the model, or made now."""
    source = bench.layers.source
    kept = kept_oracles(subject.name, source)
    if kept is not None:
        return tuple(kept)

    def make() -> list[dict[str, Any]]:
        return [asdict(oracle) for oracle in oracles(subject, source, bench.scale, STRENGTHS)]

    return tuple(Oracle(**one) for one in parts.each(f"{subject.name}, source {source}, oracles", make))
