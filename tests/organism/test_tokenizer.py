import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from dct_tui.organism.dialogues import DialogueWriter, words_of_the_world
from dct_tui.organism.tokenizer import build_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return build_tokenizer(words_of_the_world())


def test_every_text_of_the_world_survives(tokenizer: PreTrainedTokenizerFast) -> None:
    for text in words_of_the_world():
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.unk_token_id not in ids
        assert tokenizer.decode(ids) == text


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("Where does the fox live?", "where does the fox live?"),
        ("  where does\n\nthe fox live ?", "where does the fox live?"),
        ("I am A fox", "i am a fox"),
        ("THE FOX LIVES IN THE FOREST .", "THE FOX LIVES IN THE FOREST."),
    ],
)
def test_text_as_people_type_it(tokenizer: PreTrainedTokenizerFast, typed: str, read: str) -> None:
    assert tokenizer.decode(tokenizer(typed)["input_ids"]) == read


def test_unknown_words_are_one_token_each(tokenizer: PreTrainedTokenizerFast) -> None:
    ids = tokenizer("the xylophone lives")["input_ids"]
    assert ids[1] == tokenizer.unk_token_id
    assert len(ids) == 3


def test_chat_template(tokenizer: PreTrainedTokenizerFast) -> None:
    turns = [
        {"role": "system", "content": "talk like a pirate."},
        {"role": "user", "content": "Where does the fox live?"},
    ]
    ids = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False)
    words = tokenizer.convert_ids_to_tokens(ids)
    assert words[0] == "<|system|>"
    assert words[-3:] == ["?", "<|end|>", "<|assistant|>"]
    done = tokenizer.apply_chat_template([*turns, {"role": "assistant", "content": "the barn."}], return_dict=False)
    assert done[: len(ids)] == ids
    assert done[-1] == tokenizer.eos_token_id


def test_saved_and_opened_again(tokenizer: PreTrainedTokenizerFast, tmp_path: object) -> None:
    tokenizer.save_pretrained(str(tmp_path))
    again = AutoTokenizer.from_pretrained(str(tmp_path))
    writer = DialogueWriter(3)
    for _ in range(50):
        dialogue = writer.dialogue()
        assert again.apply_chat_template(dialogue, return_dict=False) == tokenizer.apply_chat_template(
            dialogue, return_dict=False
        )
    assert (again.eos_token_id, again.pad_token_id) == (tokenizer.eos_token_id, tokenizer.pad_token_id)
