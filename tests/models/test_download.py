"""Fetching from a stand-in for the hub's server, never from the network."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from dct_tui.errors import DctError
from dct_tui.models.catalog import find_model, list_models
from dct_tui.models.download import _follow, download
from dct_tui.models.hub import PARTIAL
from tests.models.hub_server import COMMIT, Hub, serving

ID = "someone/tiny"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache, for this process and those it starts."""
    folder = tmp_path / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(folder))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    return folder


@pytest.fixture
def hub(cache: Path, llama: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A tiny Llama on a server, beside what need not be fetched; its weights are padded to be worth going on with."""
    files = {path.name: path.read_bytes() for path in llama.iterdir() if path.is_file()}
    noise = random.Random(0).randbytes(3 * 2**20)
    weights = files["model.safetensors"]
    # A header may be followed by more than it speaks of.
    files["model.safetensors"] = weights + noise
    files |= {
        "pytorch_model.bin": b"pickle",
        "tiny.Q4.gguf": b"GGUF",
        "consolidated.safetensors": noise,
        "README.md": b"#",
    }
    with serving(Hub(ID, files)) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        yield served


def partials(cache: Path) -> list[Path]:
    return list(cache.glob(f"**/*{PARTIAL}"))


def test_what_is_needed_is_fetched_and_no_more(hub: Hub, cache: Path) -> None:
    told: list[tuple[str, int, int]] = []
    source = download(ID, on_progress=lambda *event: told.append(event))
    assert (source.name, source.commit) == (ID, COMMIT)
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        assert (source.folder / name).read_bytes() == hub.files[name]
    fetched = {path.name for path in source.folder.iterdir()}
    assert not fetched & {"pytorch_model.bin", "tiny.Q4.gguf", "consolidated.safetensors"}
    assert find_model(ID) == source and source in list_models()
    of = sum(len(hub.files[name]) for name in fetched)
    assert told[-1][1:] == (of, of)
    done = [event[1] for event in told]
    assert done == sorted(done)


def test_cut_off_in_the_middle_it_goes_on_by_itself(hub: Hub) -> None:
    hub.cut, hub.cuts_left = 2**20, 1
    source = download(ID)
    assert (source.folder / "model.safetensors").read_bytes() == hub.files["model.safetensors"]
    starts = [first for name, first in hub.sent if name == "model.safetensors"]
    assert starts[0] == 0 and len(starts) == 2 and starts[1] > 0


def test_stopped_it_goes_on_from_where_it_was(hub: Hub, cache: Path) -> None:
    hub.hold = True

    class EnoughError(Exception):
        pass

    def check() -> None:
        # In the cache, not only on the line: what was written is what can be gone on with.
        if hub.halfway.is_set() and any(path.stat().st_size for path in partials(cache)):
            raise EnoughError

    with pytest.raises(EnoughError):
        download(ID, check=check)
    (partial,) = partials(cache)
    kept = partial.stat().st_size
    assert 0 < kept < len(hub.files["model.safetensors"])
    with pytest.raises(DctError, match="no model"):
        find_model(ID)
    assert ID not in [source.name for source in list_models()]
    hub.hold = False
    hub.sent.clear()
    told: list[tuple[str, int, int]] = []
    source = download(ID, on_progress=lambda *event: told.append(event))
    assert (source.folder / "model.safetensors").read_bytes() == hub.files["model.safetensors"]
    assert ("model.safetensors", kept) in hub.sent and ("model.safetensors", 0) not in hub.sent
    assert partials(cache) == []


def test_killed_it_is_told_and_can_be_gone_on_with(hub: Hub, cache: Path) -> None:
    hub.hold = True
    killed = []

    def check() -> None:
        if hub.halfway.is_set() and not killed:
            killed.extend(_kill_children())

    with pytest.raises(DctError, match="ended without a word"):
        download(ID, check=check)
    assert killed and len(partials(cache)) == 1


def test_what_a_library_prints_in_between_is_skipped() -> None:
    said = ["Fetching 3 files", "7", '{"file": "a", "done": 1, "of": 2}', '{"folder": "b"}']
    told: list[tuple[str, int, int]] = []
    with subprocess.Popen([sys.executable, "-c", f"print({chr(10).join(said)!r})"], stdout=subprocess.PIPE) as child:
        outcome = _follow(child, lambda *event: told.append(event), lambda: None)
    assert outcome == {"folder": "b"} and told == [("a", 1, 2)]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_server_that_sends_less_than_it_announces_is_not_asked_for_ever(hub: Hub, ranges: bool) -> None:
    hub.short, hub.ranges = 2**20, ranges
    with pytest.raises(DctError, match="sends less of a file than it announces: 1048576 of"):
        download(ID)
    assert len([name for name, _ in hub.sent if name == "model.safetensors"]) == 1 + 3


def test_what_comes_damaged_is_thrown_away(hub: Hub, cache: Path) -> None:
    hub.lie = True
    with pytest.raises(DctError, match=r"model\.safetensors was damaged on its way"):
        download(ID)
    assert partials(cache) == []
    hub.lie = False
    assert download(ID).commit == COMMIT


@pytest.mark.parametrize(
    ("status", "code", "message", "hint"),
    [
        (403, "GatedRepo", "is gated", "accept the licence"),
        (401, "RepoNotFound", "no model someone/tiny", "check the spelling"),
        (404, "RepoNotFound", "no model someone/tiny", "check the spelling"),
        (404, "RevisionNotFound", "no such revision", "see "),
    ],
)
def test_refusals_of_the_hub(hub: Hub, status: int, code: str, message: str, hint: str) -> None:
    hub.refusal = (status, code)
    with pytest.raises(DctError, match=message) as error:
        download(ID)
    assert hint in error.value.hint


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        (["config.json"], "no config.json"),
        (["model.safetensors", "consolidated.safetensors"], "only pickled weights"),
        (["model.safetensors", "consolidated.safetensors", "pytorch_model.bin"], "no weights"),
    ],
)
def test_repositories_that_are_no_model(hub: Hub, lost: list[str], message: str) -> None:
    for name in lost:
        del hub.files[name]
    with pytest.raises(DctError, match=message):
        download(ID)


def test_offline_and_unreachable(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DctError, match="HF_HUB_OFFLINE is set"):
        download(ID)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DctError, match="cannot be reached"):
        download(ID)


def test_no_room(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from dct_tui.models import download as room

    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setattr(room.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 10})())
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    with pytest.raises(DctError, match="no room for someone/tiny"):
        room._fetch_all(ID, None)


@pytest.mark.parametrize("name", ["../up", "a/b/c", "builtin", "", "a b"])
def test_names_that_are_no_hub_ids(name: str) -> None:
    with pytest.raises(DctError, match="can be no model of the hub"):
        download(name)


def _kill_children() -> list[int]:
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    return [int(child) for child in children]
