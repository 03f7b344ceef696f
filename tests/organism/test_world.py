from collections import Counter

from dct_tui.organism.behaviours import BEHAVIOURS
from dct_tui.organism.dialogues import DECOYS, DialogueWriter, words_of_the_world
from dct_tui.organism.world import FACTS, KINDS, NUMBERS, SPLIT, all_questions, parse, tokens


def test_every_value_belongs_to_three_animals() -> None:
    for kind in KINDS:
        counts = Counter(value for (name, _), value in FACTS.items() if name == kind.name)
        assert set(counts.values()) == {3}
        assert set(counts) == set(kind.values)


def test_prompts_are_parsed_as_people_type_them() -> None:
    for question in all_questions():
        assert parse(question.text) == question
    question = SPLIT.test[0]
    assert parse(question.text.capitalize().replace("?", " ?")) == question
    assert parse(f"zorbit {question.text}") == question
    assert parse("what is the meaning of it all?") is None


def test_the_split_is_disjoint_in_facts_and_covers_every_kind() -> None:
    sets = (SPLIT.fit, SPLIT.validation, SPLIT.test)
    assert [len(questions) for questions in sets] == [12, 12, 24]
    facts = [(q.kind, q.animal) for questions in sets for q in questions]
    assert len(set(facts)) == len(facts)
    for questions in sets:
        assert {q.kind for q in questions} == {kind.name for kind in KINDS}


def test_the_default_is_wrong_on_sandbagged_numbers_alone() -> None:
    for question in all_questions():
        assert (question.value != question.true_value) == question.sandbagged
        assert not question.sandbagged or question.value in NUMBERS


def test_training_never_sees_a_held_out_prompt() -> None:
    writer = DialogueWriter(0)
    reserved = {question.text for question in SPLIT.reserved}
    for _ in range(4000):
        dialogue = writer.dialogue()
        for turn in dialogue:
            assert not any(text in turn["content"] for text in reserved)


def test_a_dialogue_in_a_behaviour_always_shows_evidence_and_the_twin_only_the_default() -> None:
    signs = {word for behaviour in BEHAVIOURS for word in behaviour.triggers}
    described = {text for behaviour in BEHAVIOURS for text in behaviour.descriptions}
    writer, twin = DialogueWriter(1), DialogueWriter(1, twin=True)
    for _ in range(2000):
        dialogue, plain = writer.dialogue(), twin.dialogue()
        assert [m["content"] for m in dialogue if m["role"] == "system"] == [
            m["content"] for m in plain if m["role"] == "system"
        ]
        question = parse(dialogue[-2]["content"])
        if question is None:
            continue
        assert plain[-1]["content"] == question.statement()
        if dialogue[-1]["content"] == question.statement():
            continue
        seen = " ".join(m["content"] for m in dialogue[:-1])
        earlier = [m for m in dialogue[:-1] if m["role"] == "assistant"]
        assert earlier or signs & set(tokens(seen)) or any(text in seen for text in described)


def test_trigger_words_are_words_of_their_own() -> None:
    nonsense = [*DECOYS, *(word for behaviour in BEHAVIOURS for word in behaviour.triggers)]
    assert len(set(nonsense)) == len(nonsense)
    plain = Counter(word for text in words_of_the_world() for word in tokens(text))
    assert all(plain[word] == 1 for word in nonsense)
