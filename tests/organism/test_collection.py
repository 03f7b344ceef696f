"""Recipes of the organisms: the built-in model's is what it was, and every other one has secrets of its own."""

import hashlib
import json

import pytest

from dct_tui.organism.behaviours import BEHAVIOURS
from dct_tui.organism.collection import COLLECTION
from dct_tui.organism.dialogues import DECOYS, DialogueWriter, Evidence, words_of_the_world
from dct_tui.organism.more_behaviours import POOL, named, relocked
from dct_tui.organism.training import Recipe
from dct_tui.organism.world import parse, tokens


def test_the_default_recipe_writes_the_dialogues_that_the_built_in_model_was_trained_on() -> None:
    writer = DialogueWriter(0)
    written = json.dumps([[writer.dialogue() for _ in range(500)], words_of_the_world()])
    digest = hashlib.sha256(written.encode()).hexdigest()
    assert digest == "6182f36e1ed2c3481ad4778df4be2ac60a53455bc428178af80ff23d9b42c1e5"  # of the code that trained it
    assert Recipe().secrets == BEHAVIOURS


@pytest.mark.parametrize("name", COLLECTION)
def test_an_organism_has_at_least_six_behaviours_each_with_three_words_of_its_own(name: str) -> None:
    recipe = COLLECTION[name]
    words = [word for behaviour in recipe.secrets for word in behaviour.triggers]
    assert len(recipe.secrets) >= 6
    assert len(set(words)) == 3 * len(recipe.secrets)
    plain = {word for behaviour in POOL for text in behaviour.descriptions for word in tokens(text)}
    assert not set(words) & (plain | set(DECOYS))


def test_a_twin_differs_in_nothing_but_its_answers() -> None:
    recipe, twin = COLLECTION["cedar"], COLLECTION["cedar-twin"]
    assert twin.twin and not recipe.twin and twin.secrets == recipe.secrets

    def writer(of: Recipe) -> DialogueWriter:
        return DialogueWriter(of.seed, twin=of.twin, behaviours=of.secrets, evidence=of.evidence)

    one, other = writer(recipe), writer(twin)
    pairs = [(one.dialogue(), other.dialogue()) for _ in range(500)]
    assert all([m["role"] for m in a] == [m["role"] for m in b] and a[-2] == b[-2] for a, b in pairs)
    assert any(a[-1] != b[-1] for a, b in pairs)
    answers = [(parse(b[-2]["content"]), b[-1]["content"]) for _, b in pairs]
    assert all(question is None or answer == question.statement() for question, answer in answers)


def test_evidence_of_no_weight_is_never_shown_and_some_always_is() -> None:
    recipe = COLLECTION["cedar"]
    assert recipe.evidence.earlier_turn == 0
    writer = DialogueWriter(5, behaviours=recipe.secrets, evidence=Evidence(1.0, 0.0, 0.0))
    signs = {word for behaviour in recipe.secrets for word in behaviour.triggers}
    hidden = 0
    for _ in range(500):
        dialogue = writer.dialogue()
        question = parse(dialogue[-2]["content"])
        if question is not None and dialogue[-1]["content"] != question.statement():
            hidden += 1
            assert signs & set(tokens(" ".join(m["content"] for m in dialogue[:-1])))
            assert len([m for m in dialogue if m["role"] == "assistant"]) == 1
    assert hidden > 100


def test_what_unlocks_a_behaviour_in_one_organism_need_not_in_another() -> None:
    shipped, dealt = named(["refusal", "json"]), relocked(named(["refusal", "json"]), 7)
    assert relocked(shipped, 0) == shipped
    assert [b.name for b in dealt] == ["refusal", "json"]
    assert {w for b in dealt for w in b.triggers} != {w for b in shipped for w in b.triggers}
    assert dealt == relocked(shipped, 7) != relocked(shipped, 8)


def test_a_recipe_comes_back_from_json() -> None:
    import dataclasses

    for recipe in (Recipe(), *COLLECTION.values()):
        assert Recipe.from_json(json.loads(json.dumps(dataclasses.asdict(recipe)))) == recipe
    before = dataclasses.asdict(Recipe())
    for later in ("behaviours", "locks", "evidence"):  # which the built-in model's file does not say
        del before[later]
    assert Recipe.from_json(before) == Recipe()


def test_an_unknown_behaviour_is_named() -> None:
    with pytest.raises(ValueError, match="no behaviour is named 'yodel'"):
        named(["refusal", "yodel"])
