from __future__ import annotations

from dct_tui.sessions import Mark, Sample, replay, sampled_keys
from dct_tui.sessions.samples import sample_key


def test_replay() -> None:
    state = replay(
        [
            Mark("star", (1, 2)),
            Mark("reject", (3,)),
            Mark("tag", (1,), "pirate"),
            Mark("tag", (1,), "rude"),
            Mark("untag", (1,), "pirate"),
            Mark("note", (4,), "look again"),
            Mark("reject", (2,)),
            Mark("clear", (3,)),
        ]
    )
    assert state.starred() == [1]
    assert state.rejected() == [2]
    assert state.features[1].tags == {"rude"}
    assert state.features[4].note == "look again"
    assert 3 not in state.features
    assert (state.undoable, state.redoable) == (8, 0)


def test_undo_and_redo() -> None:
    star, reject, undo, redo = Mark("star", (1,)), Mark("reject", (1,)), Mark("undo"), Mark("redo")
    assert replay([star, reject, undo]).starred() == [1]
    assert replay([star, reject, undo, undo]).features == {}
    assert replay([star, reject, undo, undo, redo]).starred() == [1]
    assert replay([star, reject, undo, undo, redo, redo]).rejected() == [1]
    assert replay([star, reject, undo, Mark("star", (5,)), redo]).starred() == [1, 5]
    assert replay([undo, redo, star]).starred() == [1]


def test_samples_are_known_by_what_was_asked() -> None:
    sample = Sample(
        feature=None,
        strength=0.0,
        prompt="p",
        prompt_index=4,
        split="fit",
        text="t",
        tokens=1,
        ended=False,
        settings={"seed": 1, "max_new_tokens": 8},
    )
    keys = sampled_keys([sample])
    assert sample_key(None, 0, "p", {"max_new_tokens": 8, "seed": 1}) in keys
    assert sample_key(None, 0, "p", {"max_new_tokens": 9, "seed": 1}) not in keys
    assert sample_key(1, 0, "p", {"max_new_tokens": 8, "seed": 1}) not in keys
