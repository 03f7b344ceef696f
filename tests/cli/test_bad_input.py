"""Whatever is wrong: exit code 2, one line that says so, nothing written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

SMALL = ("--source", 2, "--target", 4, "--factors", 2, "--iterations", 1, "--row-batch", 4)


@pytest.fixture
def model(llama: Path, tmp_path: Path) -> Path:
    """A copy of the model, to be spoilt."""
    return shutil.copytree(llama, tmp_path / "model")


def no_such_folder(model: Path) -> object:
    return model / "absent"


def no_such_hub_model(model: Path) -> object:
    return "nobody/nothing-at-all"


def file_instead(model: Path) -> object:
    return model / "config.json"


def no_config(model: Path) -> object:
    (model / "config.json").unlink()
    return model


def torn_config(model: Path) -> object:
    (model / "config.json").write_text("{")
    return model


def classifier(model: Path) -> object:
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "architectures": ["LlamaForSequenceClassification"]}))
    return model


def no_tokenizer(model: Path) -> object:
    for path in model.glob("tokenizer*"):
        path.unlink()
    return model


def no_weights(model: Path) -> object:
    (model / "model.safetensors").unlink()
    return model


def pickled_weights(model: Path) -> object:
    torch.save(load_file(model / "model.safetensors"), model / "pytorch_model.bin")
    return no_weights(model)


def torn_weights(model: Path) -> object:
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    return model


def nan_weights(model: Path) -> object:
    tensors = load_file(model / "model.safetensors")
    next(iter(tensors.values())).view(-1)[0] = float("nan")
    save_file(tensors, model / "model.safetensors", {"format": "pt"})
    return model


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (no_such_folder, "absent"),
        (no_such_hub_model, "nobody/nothing-at-all"),
        (file_instead, "is a file, not a model folder"),
        (no_config, "config.json"),
        (torn_config, "config"),
        (classifier, "not a causal language model"),
        (no_tokenizer, "no tokenizer"),
        (no_weights, "no weights"),
        (pickled_weights, "--allow-pickle"),
        (torn_weights, "cannot be opened"),
        (nan_weights, "NaN"),
    ],
)
def test_models_that_cannot_be_fitted(
    dct: Any, model: Path, home: Path, spoil: Callable[[Path], object], said: str
) -> None:
    assert said in dct("fit", spoil(model), "--prompt", "Hello.", *SMALL).complaint
    assert not home.exists()


def test_pickled_weights_are_read_when_that_is_asked_for(dct: Any, model: Path, tmp_path: Path) -> None:
    done = dct("fit", pickled_weights(model), "--allow-pickle", "--prompt", "Hi.", *SMALL, "--session", tmp_path / "s")
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--source", 3, "--target", 3), "source 3 is not below target 3"),
        (("--source", 3, "--target", 2), "source 3 is not below target 2"),
        (("--source", 2, "--target", 6), "beyond the 5 blocks"),
        (("--source", 5), "no block 5"),
        (("--source", -1), "no block -1"),
        (("--source", 1, "--target", -2), "source 1 is not below target -2"),
        (("--factors", 0), "0 factors"),
        (("--factors", -3), "-3 factors"),
        (("--factors", 33), "at most 32 factors"),
        (("--factors", 33, "--orthogonalisation", "qr"), "at most 32 factors"),
        (("--factors", 33, "--method", "linear"), "fewer factors"),
        (("--iterations", 0), "0 iterations"),
        (("--method", "cubic"), "no method 'cubic'"),
        (("--orthogonalisation", "gram"), "no orthogonalisation 'gram'"),
        (("--scale", 0), "positive number"),
        (("--scale", "nan"), "positive number"),
        (("--scale", -1), "positive number"),
        (("--scale", "inf"), "positive number"),
        (("--row-batch", 0), "row batch of 0"),
        (("--positions", 0), "0 target positions"),
        (("--dtype", "int3"), "int3"),
        (("--device", "cuda"), "CUDA"),
        (("--device", "toaster"), "toaster"),
        (("--validation", "/absent.txt"), "/absent.txt"),
        (("--prompt", "long " * 60), "longer than the context of 200"),
        (("--session", "/proc/nowhere"), "/proc/nowhere"),
    ],
)
def test_settings_that_cannot_be_fitted(dct: Any, llama: Path, home: Path, options: tuple[Any, ...], said: str) -> None:
    if "cuda" in options and torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    assert said in dct("fit", llama, "--prompt", "Hello.", *SMALL, *options).complaint
    assert not home.exists()


COUNTS = ("--factors", "--iterations", "--positions", "--row-batch", "--source", "--target")


@pytest.mark.parametrize(
    "options",
    [("--seed", -1), ("--seed", 2**64), ("--factors", "many"), ("--colour",), *[(name, 10**30) for name in COUNTS]],
)
def test_usage_errors_end_with_2(dct: Any, llama: Path, home: Path, options: tuple[Any, ...]) -> None:
    done = dct("fit", llama, "--prompt", "Hello.", *options)
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert not home.exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("p.txt", b"", "no prompts in"),
        ("p.txt", b" \n\n\t\n", "no prompts in"),
        ("p.txt", b"caf\xe9", "not UTF-8"),
        ("p.json", b'["one"]', ".json"),
        ("p.jsonl", b'{"prompt": "one"}\n{', "line 2"),
        ("p.jsonl", b'{"words": "one"}', "holds no prompt"),
        ("p.csv", b"colour\nred\n", "holds no prompt"),
        ("p.csv", b'prompt\n"open', "not a readable table"),
        ("absent.txt", None, "no prompt file"),
    ],
)
def test_prompt_files_that_cannot_be_read(
    dct: Any, llama: Path, home: Path, tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert said in dct("fit", llama, "--prompts", tmp_path / name, *SMALL).complaint
    assert not home.exists()


def test_no_prompts_at_all(dct: Any, llama: Path, home: Path) -> None:
    assert "--prompts FILE" in dct("fit", llama, *SMALL).complaint
    assert not home.exists()


def test_a_folder_with_other_files_is_left_alone(dct: Any, llama: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    assert "letter.txt" in dct("fit", llama, "--prompt", "Hi.", *SMALL, "--session", tmp_path / "mine").complaint
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


@pytest.fixture
def spoil(fitted: Path) -> Callable[[str, Callable[[dict[str, Any]], dict[str, Any]]], None]:
    def change(name: str, how: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        path = fitted / name
        path.write_text(json.dumps(how(json.loads(path.read_text()))))

    return change


COMMANDS = [
    ("resume",),
    ("features",),
    ("sample", "--strengths", "1.0"),
    ("chat", "--steer", "1:+1.0"),
    ("export", "--features", "all"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_sessions_that_cannot_be_used(dct: Any, fitted: Path, untouched: Any, spoil: Any, command: Any) -> None:
    name, *options = command
    assert "'absent'" in dct(name, "absent", *options).complaint
    spoil("session.json", lambda record: {**record, "schema": 99})
    before = untouched(fitted)
    assert "newer dct-tui" in dct(name, "fitted", *options).complaint
    (fitted / "session.json").write_text("{")
    assert "session.json" in dct(name, "fitted", *options).complaint
    assert {**untouched(fitted), "session.json": b""} == {**before, "session.json": b""}


@pytest.mark.parametrize("command", COMMANDS[2:])
def test_a_damaged_fit(dct: Any, fitted: Path, untouched: Any, command: Any) -> None:
    path = fitted / "fit.safetensors"
    path.write_bytes(path.read_bytes()[:-40])
    before, (name, *options) = untouched(fitted), command
    assert "damaged" in dct(name, "fitted", *options, stdin="hi\n").complaint
    path.unlink()
    assert "fit.safetensors is missing" in dct(name, "fitted", *options, stdin="hi\n").complaint
    assert untouched(fitted).keys() == before.keys() - {"fit.safetensors"}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("sample", "--strengths", "loud"), "not a list of strengths"),
        (("sample", "--strengths", "0"), "zero"),
        (("sample", "--strengths", "nan"), "not finite"),
        (("sample", "--strengths", ""), "not a list of strengths"),
        (("sample", "--features", "4"), "no feature 4"),
        (("sample", "--features", "1;2"), "not a feature"),
        (("sample", "--features", "3-1"), "no feature 3-1"),
        (("sample", "--prompts", "/absent.txt"), "no prompt file"),
        (("sample", "--prompt", "long " * 60), "longer than the context"),
        (("chat", "--steer", "12"), "no feature 12"),
        (("chat", "--steer", "one:+1"), "names no feature"),
        (("chat", "--steer", "1:loud"), "not a strength"),
        (("chat", "--steer", "1:inf"), "cannot be applied"),
        (("chat", "--ablate", "1"), "which direction"),
        (("chat", "--ablate", "9:u"), "no feature 9"),
        (("chat", "--ablate", "mean(1):w"), "which direction"),
        (("chat", "--ablation", "everything"), "no ablation 'everything'"),
        (("chat", "--ablate", "1:u", "--layers", "2-9"), "no layer 2-9"),
        (("chat", "--name", "../up"), "no name for a chat"),
        (("chat", "--steer", "1" * 5000), "names no feature"),
        (("chat", "--steer", f"mean(1,{'2' * 5000})"), "names no feature"),
        (("chat", "--ablate", f"{'1' * 5000}:u"), "names no feature"),
        (("chat", "--ablate", "1:u", "--layers", "1" * 5000), "not a layer"),
        (("sample", "--features", f"0-{'1' * 5000}"), "not a feature"),
        (("export", "--features", "1", "--strength", "1e39"), "beyond what float32 holds"),
        (("features", "--sort", "colour"), "cannot be sorted"),
        (("features", "--contrast", "Sure"), "not two words"),
        (("features", "--contrast", "Same,Sane"), "same token"),
        (("export", "--features", "4"), "no feature 4"),
        (("export", "--features", "1", "--format", "pickle"), "no export format"),
        (("export", "--features", "1", "--strength", "0"), "strength 0"),
        (("resume",), "already fitted"),
    ],
)
def test_requests_that_make_no_sense(dct: Any, fitted: Path, untouched: Any, command: Any, said: str) -> None:
    before = untouched(fitted)
    name, *options = command
    assert said in dct(name, "fitted", *options, stdin="hello\n").complaint
    assert untouched(fitted) == before
