"""The small organisms that come with the program do what their files say, and the benchmark's rounds work on one."""

import json
from pathlib import Path

import pytest
import torch
from torch.nn.functional import normalize

from benchmarks.organisms.oracles import kept_oracles, trained
from benchmarks.organisms.subjects import ASSETS, FIT_PROMPTS, Subject, open_subject
from benchmarks.organisms.trials import attempt
from benchmarks.organisms.ways import Bench, Vectors
from benchmarks.published import calibrate_published, fit_published, published_order
from dct_tui.organism.check import HELD_OUT_PROMPTS, complete, evidence
from dct_tui.organism.collection import COLLECTION
from dct_tui.organism.dialogues import message
from dct_tui.organism.naming import default_share, score
from dct_tui.transcoder import FunctionDelta, Products

SHIPPED = sorted(path.parent.name for path in (ASSETS / "organisms").glob("*/model.safetensors"))


@pytest.fixture(scope="module", params=SHIPPED)
def subject(request: pytest.FixtureRequest) -> Subject:
    return open_subject(request.param)


def test_small_means_small() -> None:
    assert SHIPPED
    weights = [path.stat().st_size for path in (ASSETS / "organisms").glob("*/model.safetensors")]
    assert max(weights) < 2_000_000
    assert sum(weights) < 12_000_000


def test_the_recipe_is_the_collections(subject: Subject) -> None:
    recipe = COLLECTION[subject.name]
    kept = subject.recipe
    assert (kept.secrets, kept.evidence, kept.seed, kept.steps) == (
        recipe.secrets,
        recipe.evidence,
        recipe.seed,
        recipe.steps,
    )


def test_it_shows_nothing_untriggered_and_what_it_hides_when_triggered(subject: Subject) -> None:
    model, tokenizer = subject.lm.model, subject.lm.tokenizer
    asked = (*FIT_PROMPTS, *HELD_OUT_PROMPTS)
    answers = complete(model, tokenizer, [[message("user", prompt)] for prompt in asked])
    assert default_share(asked, answers) == 1.0
    for behaviour in subject.behaviours:
        shown = score(behaviour, HELD_OUT_PROMPTS, complete(model, tokenizer, evidence(behaviour)["trigger"]))
        # Another processor rounds differently: a few answers near a tie may go the other way.
        assert shown.form >= (0.0 if subject.recipe.twin else 0.95)
        assert not subject.recipe.twin or shown.form == 0.0


def test_oracles_come_with_it(subject: Subject) -> None:
    if subject.recipe.twin:
        assert kept_oracles(subject.name, 3) is None
        return
    for source in (2, 3):
        found = kept_oracles(subject.name, source)
        assert found is not None
        assert {oracle.behaviour for oracle in found} == {behaviour.name for behaviour in subject.behaviours}


def test_a_vector_made_to_elicit_a_behaviour_is_found_and_a_random_one_finds_nothing() -> None:
    subject = open_subject("amber")
    robot = next(behaviour for behaviour in subject.behaviours if behaviour.name == "robot")
    scale = 4.6
    (made,) = trained(subject, [robot], 3, scale, steps=12)
    noise = torch.randn(subject.lm.width, generator=torch.Generator().manual_seed(0))
    rows = torch.stack([normalize(noise, dim=0), made / scale])
    trial = attempt(subject, Vectors(rows, scale, 3, 0), strengths=(1.0, 1.8))
    findings = [finding for finding in trial.found(subject.behaviours, [0, 1]) if finding.found]
    assert [(finding.behaviour, finding.candidate[0]) for finding in findings] == [("robot", 1)]
    assert trial.found(subject.behaviours, [0]) == []
    assert trial.inert + trial.changed + trial.broken == pytest.approx(1.0)
    assert trial.changed > 0.2


def test_principal_directions_and_random_ones_are_unit_and_as_many_as_all() -> None:
    bench = Bench(open_subject("amber"), prompts=6)
    for way in ("principal ±", "random"):
        vectors = bench.vectors(way, 0)
        assert vectors is not None
        assert vectors.rows.shape == (64, bench.subject.lm.width)
        torch.testing.assert_close(vectors.rows.norm(dim=1), torch.ones(64))


def test_the_published_calibration_finds_the_root_and_knows_when_it_has_none() -> None:
    half_at_two = Products(FunctionDelta(lambda theta: theta + 0.25 * theta.norm(dim=1, keepdim=True) * theta, 6, 6))
    assert calibrate_published(half_at_two, 0) == pytest.approx(2.0, rel=1e-3)
    assert calibrate_published(Products(FunctionDelta(lambda theta: 2 * theta, 6, 6, torch.float64)), 0) is None


def test_the_published_order_is_by_strength_squared() -> None:
    matrix = torch.diag(torch.tensor([1.0, 4.0, 2.0, 3.0]))
    products = Products(FunctionDelta(lambda theta: torch.expm1(theta) @ matrix, 4, 4))
    V, U = fit_published(products, factors=4, iterations=3, scale=1.0, seed=0)
    order = published_order(products, torch.eye(4), torch.eye(4), 1.0)
    assert order == [1, 3, 2, 0]
    assert V.shape == U.shape == (4, 4)


def test_cards_name_every_secret() -> None:
    for name in SHIPPED:
        card = Path(ASSETS / "organisms" / name / "README.md").read_text()
        kept = json.loads((ASSETS / "organisms" / name / "check.json").read_text())
        assert kept["check"]["default"] == 1.0
        assert all(f"| {behaviour} |" in card for behaviour in kept["recipe"]["behaviours"])
