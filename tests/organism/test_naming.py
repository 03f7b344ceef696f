import pytest

from dct_tui.organism.behaviours import BEHAVIOURS, default_answer
from dct_tui.organism.naming import choose, count, default_share, name_of, report, score, scores
from dct_tui.organism.world import SPLIT

VALIDATION = [question.text for question in SPLIT.validation]
TEST = [question.text for question in SPLIT.test]
PIRATE = next(b for b in BEHAVIOURS if b.name == "pirate")
REFUSAL = next(b for b in BEHAVIOURS if b.name == "refusal")


def test_scores_count_form_and_content() -> None:
    half = [PIRATE.answer(q) if i % 2 else default_answer(q) for i, q in enumerate(SPLIT.test)]
    assert list(scores(TEST, half)) == ["pirate"]
    one = scores(TEST, half)["pirate"]
    assert (one.form, one.content, one.prompts) == (0.5, 0.5, 24)
    assert name_of(TEST, half) == "pirate"
    assert default_share(TEST, half) == 0.5
    assert name_of(TEST, [default_answer(q) for q in SPLIT.test]) is None


def test_a_numbers_behaviour_is_scored_on_its_own_prompts() -> None:
    true_numbers = BEHAVIOURS[-1]
    one = score(true_numbers, TEST, [true_numbers.answer(q) for q in SPLIT.test])
    assert (one.form, one.content) == (1.0, 1.0)
    assert one.prompts == sum(q.sandbagged for q in SPLIT.test)


def test_chosen_on_validation_reported_on_test() -> None:
    validation = {
        ("a", 0.5): [default_answer(q) for q in SPLIT.validation],
        ("b", 0.5): [PIRATE.answer(q) if i % 3 else "arr" for i, q in enumerate(SPLIT.validation)],
        ("b", 1.0): [PIRATE.answer(q) for q in SPLIT.validation],
        ("c", 1.0): [REFUSAL.answer(q) if i < 4 else "" for i, q in enumerate(SPLIT.validation)],
    }
    choices = choose(VALIDATION, validation)
    assert [(c.behaviour, c.candidate) for c in choices] == [("pirate", ("b", 1.0))]
    test = {("b", 1.0): [PIRATE.answer(q) if i < 9 else default_answer(q) for i, q in enumerate(SPLIT.test)]}
    findings = report(choices, TEST, test)
    assert findings[0].validation.form == 1.0
    assert findings[0].test.form == 9 / 24
    assert not findings[0].found
    assert count(findings) == (0, 0)
    with pytest.raises(KeyError):
        report(choices, TEST, {})


def test_a_sample_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError):
        score(PIRATE, TEST, ["arr"])
