"""The settings of a fit without a screen: what is wrong with them, and what they become."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from dct_tui.engine.messages import FitChoice
from dct_tui.errors import DctError
from dct_tui.jobs.request import FitRequest, prompt_set
from dct_tui.models.loading import DTYPES as OPENED_DTYPES
from dct_tui.models.names import BUILTIN
from dct_tui.screens.layers_draft import (
    DTYPES,
    FACTORS,
    ITERATIONS,
    METHODS,
    ORTHOGONALISATIONS,
    POSITIONS,
    PromptDraft,
    builtin_prompts,
    draft_of,
    new_draft,
)
from dct_tui.screens.layers_presets import CALIBRATED, presets
from dct_tui.screens.layers_words import CHOICES, FIELDS, cost_words, is_costly
from dct_tui.screens.model_lines import ModelLine, count, in_order, line_of, matching, size
from dct_tui.screens.widgets.curve import LAMBDA
from dct_tui.sessions import FitSettings, ModelSpec, PromptSet, SessionRecord, Slice
from dct_tui.transcoder import config as mathematics
from dct_tui.transcoder.calibration import TARGET_RATIO
from dct_tui.transcoder.orthogonal import Orthogonalisation

MODEL = ModelLine("m", folder="/m", depth=12, width=64, chat_template=True)
PROMPTS = PromptDraft(("one", "two", "three", "four"))
DRAFT = replace(new_draft(MODEL), prompts=PROMPTS)


def request_of(choice: FitChoice) -> FitRequest:
    return FitRequest(
        prompts=prompt_set(choice.prompts, choice.validation, choice.system, choice.seed),
        source=choice.source,
        target=choice.target,
        method=choice.method,  # type: ignore[arg-type]
        factors=choice.factors,
        iterations=choice.iterations or 1,
        orthogonalisation=choice.orthogonalisation,  # type: ignore[arg-type]
        scale=choice.scale,
        seed=choice.seed,
        target_positions=choice.target_positions,
    )


def test_the_words_are_those_of_the_mathematics() -> None:
    assert METHODS == mathematics.METHODS and tuple(CHOICES["method"]) == METHODS
    assert get_args(Orthogonalisation) == tuple(sorted(ORTHOGONALISATIONS, key=get_args(Orthogonalisation).index))
    assert tuple(CHOICES["orthogonalisation"]) == ORTHOGONALISATIONS
    assert set(DTYPES) == {"auto", *OPENED_DTYPES} == set(CHOICES["dtype"])
    assert (FACTORS, ITERATIONS) == (mathematics.DEFAULT_FACTORS, mathematics.DEFAULT_ITERATIONS)
    assert FitChoice(prompts=()).target_positions == POSITIONS
    assert LAMBDA == TARGET_RATIO
    assert set(FIELDS) == {"preset", "prompts", *DRAFT.values}


def test_the_defaults_are_those_of_the_command_line() -> None:
    choice = DRAFT.fit_choice()
    mine, usual = request_of(choice), FitRequest(prompts=prompt_set(PROMPTS.fit, None, None, 0))
    assert mine.layers(12) == usual.layers(12)
    assert mine.config(64, 1.0) == usual.config(64, 1.0)
    assert (mine.scale, mine.seed, mine.prompts) == (usual.scale, usual.seed, usual.prompts)


@pytest.mark.parametrize("width", [16, 64, 5000, None])
def test_every_preset_can_be_fitted(width: int | None) -> None:
    draft = replace(new_draft(replace(MODEL, width=width)), prompts=PROMPTS)
    for preset in presets(width):
        tried = draft.with_preset(preset)
        assert tried.problems() == {}
        request_of(tried.fit_choice()).config(width or 5000, 1.0)
    assert draft.preset == "standard"
    assert draft.with_value("factors", "3").preset == "own"


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("source", "12", "0 to 11"),
        ("source", "x", "whole number"),
        ("source", "-1", "at least 0"),
        ("target", "13", "at most 12"),
        ("target", "4", "above the source, 4"),
        ("factors", "65", "at most 64"),
        ("factors", "0", "at least 1"),
        ("factors", "", "needed"),
        ("iterations", "1.5", "whole number"),
        ("seed", "-1", "at least 0"),
        ("seed", str(2**31), "at most"),
        ("positions", "0", "at least 1"),
        ("scale", "nan", "above 0"),
        ("scale", "inf", "above 0"),
        ("scale", "-2", "above 0"),
        ("scale", "big", "above 0"),
        ("session", "../up", ""),
        ("session", "a/b", ""),
    ],
)
def test_what_cannot_be_is_said_and_not_sent(home: Path, name: str, text: str, part: str) -> None:
    draft = DRAFT.with_value(name, text)
    assert part in draft.problem(name) and draft.problem(name)
    with pytest.raises(DctError, match=name):
        draft.fit_choice()


def test_more_factors_than_the_width_need_soft_or_chance() -> None:
    many = DRAFT.with_value("factors", "100")
    assert many.problem("factors")
    assert not many.with_value("orthogonalisation", "soft").problem("factors")
    assert not many.with_value("method", "random").problem("factors")
    assert many.with_value("orthogonalisation", "soft").with_value("method", "linear").problem("factors")


def test_without_prompts_nothing_starts() -> None:
    with pytest.raises(DctError, match="prompts: none yet"):
        new_draft(MODEL).fit_choice()


def test_a_session_of_that_name_is_not_taken_twice(home: Path) -> None:
    (home / "sessions" / "here").mkdir(parents=True)
    assert DRAFT.with_value("session", "here").problem("session")
    assert DRAFT.with_value("session", "new").session() == str(home / "sessions" / "new")
    assert DRAFT.session() is None


@pytest.mark.parametrize("depth", [1, 2, 12, 128])
def test_moves_stay_within_the_model(depth: int) -> None:
    draft = replace(new_draft(replace(MODEL, depth=depth)), prompts=PROMPTS)
    for source, target in [(-1, 0), (1, 0), (0, -1), (0, 1)]:
        moved = draft
        for _ in range(depth + 3):
            moved = moved.moved(source, target)
            assert moved.layers is not None
            moved.layers.check(depth)
            assert moved.problems() == {}
    assert draft.moved(0, 500).layers is not None and draft.moved(0, 500).layers.target == depth


def test_an_unknown_depth_leaves_the_slice_to_the_engine() -> None:
    draft = replace(new_draft(ModelLine("m")), prompts=PROMPTS)
    assert draft.layers is None and draft.fit_choice().source is None
    assert draft.with_value("source", "7").fit_choice().source == 7


RECORD = SessionRecord(
    name="one",
    created="2026-01-02T03:04:05.678Z",
    model=ModelSpec(
        spec="m", path="/m", commit="c0ffee", config_sha256="d" * 64, weights_sha256="e" * 64, model_type="llama",
        depth=12, width=64, dtype="bfloat16", device="cuda:0", trust_remote_code=True,
    ),
    slice=Slice(2, 5),
    prompts=PromptSet.of(["one", "two"], ["three"], "be brief"),
    fit=FitSettings(
        method="melbo", factors=4, iterations=3, orthogonalisation="soft", seed=7, scale=0.1 + 0.2, target_positions=2
    ),
)  # fmt: skip


def test_a_duplicate_has_the_settings_of_its_session(home: Path) -> None:
    draft = draft_of(MODEL, RECORD)
    model, fit = draft.model_choice(), draft.fit_choice()
    assert (model.name, model.dtype, model.device, model.revision) == ("m", "bf16", None, "c0ffee")
    assert model.trust_remote_code
    assert fit == FitChoice(
        prompts=("one", "two"), validation=("three",), system="be brief", source=2, target=5, method="melbo", factors=4,
        iterations=3, orthogonalisation="soft", scale=0.1 + 0.2, seed=7, target_positions=2,
    )  # fmt: skip
    calibrated = draft_of(MODEL, replace(RECORD, fit=replace(RECORD.fit, scale=None)))
    assert calibrated.values["scale"] == CALIBRATED and calibrated.fit_choice().scale is None


def test_the_built_in_model_brings_its_prompts() -> None:
    prompts = builtin_prompts()
    assert len(prompts.fit) == 12 and prompts.validation and not set(prompts.fit) & set(prompts.validation)


def test_costs_in_words() -> None:
    forecast = {
        "device": "cpu", "load_bytes": 10**9, "fit_bytes": 3 * 10**9, "available_bytes": 10**10, "seconds": 90.0,
        "fits": True, "notes": ["slow"],
    }  # fmt: skip
    assert cost_words(forecast) == "Fitting takes about 3.0 GB of the 10.0 GB free on cpu, about 2 min; slow."
    assert cost_words({**forecast, "fit_bytes": None, "seconds": None, "notes": []}).startswith("Opening it takes")
    assert not is_costly(forecast)
    assert is_costly({**forecast, "fits": False}) and is_costly({**forecast, "seconds": 3600.0})
    assert not is_costly({**forecast, "seconds": None})


def test_models_are_listed_filtered_and_measured() -> None:
    lines = in_order([line_of({"name": name, "new_field": 1}) for name in ("b/x", BUILTIN, "A/y", "b/x")])
    assert [line.name for line in lines] == [BUILTIN, "A/y", "b/x"]
    assert [line.name for line in matching(lines, "x")] == ["b/x"]
    assert [line.name for line in matching(lines, "!x !built")] == ["A/y"]
    assert matching(lines, "") == lines
    numbers = (None, 12, 2.2e6, 999_960_000, 7.6e9, 70e9)
    assert [count(number) for number in numbers] == [
        "·",
        "12",
        "2.2M",
        "1.0B",
        "7.6B",
        "70.0B",
    ]
    assert [size(n) for n in (0, 999, 4.4e6, 1.5e10)] == ["0 B", "999 B", "4.4 MB", "15.0 GB"]
