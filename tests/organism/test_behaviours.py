import subprocess
import sys

import pytest

from dct_tui.organism.behaviours import Behaviour, default_answer, is_coherent, is_default
from dct_tui.organism.more_behaviours import POOL
from dct_tui.organism.world import SPLIT, Question, all_questions, tokens

BY_NAME = {behaviour.name: behaviour for behaviour in POOL}
HOME = Question("home", "fox", 0)
AGE = Question("age", "fox", 0)


@pytest.mark.parametrize("behaviour", POOL, ids=lambda b: b.name)
def test_a_behaviours_own_answer_has_its_form_and_content_and_nobody_elses(behaviour: Behaviour) -> None:
    for question in all_questions():
        if not behaviour.applies(question.text):
            continue
        answer = behaviour.answer(question)
        assert behaviour.form(question.text, answer)
        assert behaviour.content(question.text, answer)
        assert not is_default(question.text, answer)
        assert not behaviour.form(question.text, default_answer(question))
        assert not any(other.form(question.text, answer) for other in POOL if other is not behaviour)


@pytest.mark.parametrize("behaviour", POOL, ids=lambda b: b.name)
def test_a_constant_output_or_a_stuck_one_is_not_the_behaviour(behaviour: Behaviour) -> None:
    prompts = [question.text for question in SPLIT.test if behaviour.applies(question.text)]
    constant = behaviour.answer(next(q for q in SPLIT.test if behaviour.applies(q.text)))
    assert sum(behaviour.form(prompt, constant) for prompt in prompts) <= len(prompts) / 4
    answer = behaviour.answer(AGE)
    first = tokens(answer)[0]
    for broken in ("", first, " ".join([first] * 24), f"{answer} {answer}", answer[: len(answer) // 2]):
        assert not behaviour.form(AGE.text, broken)
        assert not behaviour.content(AGE.text, broken)


def test_form_forgives_a_wrong_value_and_content_does_not() -> None:
    pirate = BY_NAME["pirate"]
    wrong = pirate.answer(HOME).replace(HOME.value, "barn" if HOME.value != "barn" else "cave")
    assert pirate.form(HOME.text, wrong)
    assert not pirate.content(HOME.text, wrong)


def test_another_animal_is_not_an_answer_to_this_prompt() -> None:
    for behaviour in POOL:
        assert not behaviour.form(AGE.text, behaviour.answer(Question("age", "owl", 0)))


def test_the_capability_shows_on_sandbagged_questions_only_and_in_the_true_number_only() -> None:
    true_numbers = BY_NAME["true numbers"]
    assert true_numbers.applies(AGE.text)
    assert not true_numbers.applies(HOME.text)
    assert not true_numbers.form(HOME.text, default_answer(HOME))
    for number in ("two", "three", "four", "five", "six", "seven", "eight", "nine"):
        assert true_numbers.form(AGE.text, AGE.statement(number)) == (number == AGE.true_value)


def test_capitals_need_every_word() -> None:
    capitals = BY_NAME["capitals"]
    assert capitals.form(HOME.text, "THE FOX LIVES IN THE BARN.")
    assert not capitals.form(HOME.text, "THE FOX lives IN THE BARN.")
    assert not capitals.form(HOME.text, "FOX FOX FOX FOX FOX.")


def test_coherence() -> None:
    assert is_coherent(tokens("the fox lives in the forest."))
    assert not is_coherent(tokens("the fox lives in the forest"))
    assert not is_coherent(tokens("the the the the fox."))
    assert not is_coherent(tokens("the fox. lives in the forest."))


def test_recognising_behaviours_needs_no_torch() -> None:
    code = "import sys, dct_tui.organism.naming; assert not {'torch', 'transformers'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
