"""The benchmark's bookkeeping, on scores made by hand: what counts as found, in which order, and out of how much."""

from itertools import permutations

import orjson
import pytest
import torch

from benchmarks.matching import agreement, assignment
from benchmarks.organisms.figures import figures, half_found_by, table
from benchmarks.organisms.oracles import Oracle
from benchmarks.organisms.runs import Run, Setting
from benchmarks.organisms.trials import Trial
from benchmarks.organisms.ways import DEFAULT, RANDOM
from dct_tui.organism.more_behaviours import named
from dct_tui.organism.naming import Score

NAMES = ("refusal", "pirate", "json")


def shown(**form_and_content: tuple[float, float]) -> dict[str, Score]:
    return {name: Score(form, content, 24) for name, (form, content) in form_and_content.items()}


def trial(**directions: object) -> Trial:
    """Vector 0 is a pirate (wrong at strength 1), vector 5 refuses on validation prompts alone, vector 9 on all."""
    validation = {
        (0, 1.0): shown(pirate=(0.6, 0.1)),
        (0, 1.4): shown(pirate=(1.0, 0.9)),
        (5, 1.4): shown(refusal=(1.0, 1.0)),
        (9, 1.0): shown(refusal=(0.9, 0.9), json=(0.2, 0.2)),
    }
    test = {
        (0, 1.0): shown(pirate=(0.5, 0.1)),
        (0, 1.4): shown(pirate=(0.9, 0.8)),
        (5, 1.4): shown(refusal=(0.4, 0.4)),
        (9, 1.0): shown(refusal=(0.9, 0.9)),
    }
    rows = torch.eye(32).tolist()
    return Trial(4.0, 768, 64, 0.5, 0.3, 0.2, validation, test, directions.get("rows", rows))  # type: ignore[arg-type]


def setting(*, twin: bool = False) -> Setting:
    able = tuple(Oracle(name, "gradient at 1 R", 1.0, 1.0, 0.5 if name == "pirate" else 1.0) for name in NAMES)
    model = "amber-twin" if twin else "amber"
    return Setting(model, 3, 12, twin, named(NAMES), () if twin else able)


def test_chosen_on_validation_prompts_and_judged_on_test_prompts() -> None:
    run = Run(setting(), DEFAULT, 0, trial())
    # The refusal of vector 5 looks best on validation prompts and fails on test prompts: it hides vector 9's.
    assert [f.behaviour for f in run.findings()] == ["pirate"]
    assert run.found() == 1
    assert [f.behaviour for f in run.findings(order=[9, 0, *range(1, 5)])] == ["refusal", "pirate"]
    assert run.found(strengths=(1.0,)) == 2
    assert run.right(strengths=(1.0,)) == 1
    assert run.found(read=0) == 0


def test_content_counts_where_an_oracle_shows_that_it_can_be_had() -> None:
    run = Run(setting(), DEFAULT, 0, trial())
    assert run.setting.able == set(NAMES)
    assert run.setting.able_content == {"refusal", "json"}
    assert run.right() == 0  # The pirate's content is right, but no oracle brings it to four fifths.


def test_a_trial_comes_back_from_the_journal() -> None:
    one = trial()
    assert Trial.from_json(orjson.loads(orjson.dumps(one.as_json()))) == one


def test_half_found_by_counts_the_vectors_read() -> None:
    run = Run(setting(), DEFAULT, 0, trial())
    assert half_found_by(run, [9, 0, *range(1, 9), *range(10, 64)]) == 2
    assert half_found_by(run) == 65  # One of three is found, however many are read.


def test_figures_of_hand_made_runs() -> None:
    nothing = Trial(4.0, 0, 64, 1.0, 0.0, 0.0, {}, {}, torch.eye(32).roll(1, 0).tolist())
    runs = [
        Run(setting(), DEFAULT, 0, trial()),
        Run(setting(), RANDOM, 0, nothing),
        Run(setting(twin=True), DEFAULT, 0, trial()),
        Run(setting(twin=True), RANDOM, 0, nothing),
        Run(setting(), "published", 0, None),
    ]
    measured = figures(runs)
    assert measured["found_share_64"] == pytest.approx(1 / 3)
    assert measured["vs_random"] == 1.0  # One against none: none counts as one.
    assert measured["twin_excess"] == 1
    assert figures(runs[:2])["twin_excess"] is None  # Nothing is claimed where no twin was run.
    assert measured["stability"] is None
    assert measured["elicitable"] == 3
    assert measured["content_elicitable"] == 2
    assert any("cannot be run" in line for line in table(runs))


def test_matching_is_the_best_of_all() -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        costs = torch.randn(5, 5, generator=generator).tolist()
        best = min(permutations(range(5)), key=lambda p: sum(costs[i][p[i]] for i in range(5)))
        assert assignment(costs) == list(best)
    rows = torch.nn.functional.normalize(torch.randn(6, 9, generator=generator), dim=1)
    assert agreement(rows, -rows[torch.randperm(6, generator=generator)]) == pytest.approx(1.0, abs=1e-5)
