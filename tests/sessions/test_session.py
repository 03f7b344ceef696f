from __future__ import annotations

import dataclasses
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import pytest
from safetensors.numpy import save_file

from dct_tui.errors import DctError, SchemaTooNew, SessionBusy, SessionDamaged
from dct_tui.sessions import Checkpoint, FitTensors, Mark, Sample, Session, SessionRecord, replay

FITTER = """
import sys
from pathlib import Path
import numpy as np
from dct_tui.sessions import Checkpoint, Session
session = Session.open(Path(sys.argv[1]))
with session.writing():
    before = session.read_checkpoint()
    n = before.iteration if before else 0
    session.update_record(status="fitting")
    while True:
        n += 1
        session.write_checkpoint(Checkpoint(n, {"V": np.full((64, 256), n, np.float32)}))
        session.progress.append({"iteration": n})
        print(n, flush=True)
"""


def make_fit() -> FitTensors:
    eye = np.eye(8, 4, dtype=np.float32)
    return FitTensors(eye, eye, np.ones(4, np.float32), 2.5, 3, 2, 5)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_create_and_open(session: Session, record: SessionRecord) -> None:
    assert not session.resumed
    opened = Session.open(session.path)
    assert opened.record == record
    assert opened.name == "one"
    assert not opened.has_fit
    assert opened.read_checkpoint() is None
    assert opened.read_features() == []
    assert opened.read_samples() == ([], [])


def test_the_same_settings_resume_an_unfinished_session(session: Session, record: SessionRecord) -> None:
    with session.writing():
        session.update_record(status="stopped", row_batch=16)
    again = Session.create(session.path, dataclasses.replace(record, created="2030-01-01T00:00:00.000Z"))
    assert again.resumed
    assert again.record.row_batch == 16
    assert again.record.created == record.created


def test_other_settings_are_refused(
    session: Session, record: SessionRecord, with_fit: Callable[..., SessionRecord]
) -> None:
    before = snapshot(session.path)
    with pytest.raises(DctError, match="other settings: factors 9, not 4; choose another folder"):
        Session.create(session.path, with_fit(record, factors=9))
    assert snapshot(session.path) == before


def test_a_finished_session_is_not_overwritten(session: Session, record: SessionRecord) -> None:
    with session.writing():
        session.update_record(status="fitted")
    with pytest.raises(DctError, match="already fitted"):
        Session.create(session.path, record)


def test_a_folder_with_other_things_is_refused_and_untouched(tmp_path: Path, record: SessionRecord) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(DctError, match=r"holds other files \(thesis\.tex"):
        Session.create(tmp_path, record)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(DctError, match="not a folder"):
        Session.create(tmp_path / "thesis.tex", record)


def test_what_a_killed_creation_left_is_no_hindrance(tmp_path: Path, record: SessionRecord) -> None:
    (tmp_path / "fit.lock").touch()
    (tmp_path / ".session.json.12345678.tmp").write_bytes(b"{")
    assert not Session.create(tmp_path, record).resumed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fit.lock", "session.json"]


def test_no_room_to_create_leaves_nothing(
    tmp_path: Path, record: SessionRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DctError, match=r"no room to write session\.json"):
        Session.create(tmp_path / "new", record)
    assert not (tmp_path / "new").exists()


def test_no_session_says_how_to_find_one(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DctError, match=r"there is no session in .*; `dct-tui sessions`"):
            Session.open(path)
        assert not Session.exists(path)


def test_a_newer_session_is_refused_and_untouched(session: Session, record: SessionRecord) -> None:
    document = orjson.loads((session.path / "session.json").read_bytes()) | {"schema": 2, "new": True}
    (session.path / "session.json").write_bytes(orjson.dumps(document))
    before = snapshot(session.path)
    with pytest.raises(SchemaTooNew):
        Session.open(session.path)
    with pytest.raises(SchemaTooNew):
        Session.create(session.path, record)
    with session.writing(), pytest.raises(SchemaTooNew):
        session.update_record(status="fitted")
    assert snapshot(session.path) == before


def test_writing_without_the_lock_is_a_bug(session: Session) -> None:
    for write in (
        lambda: session.update_record(status="fitted"),
        lambda: session.write_fit(make_fit()),
        lambda: session.write_checkpoint(Checkpoint(1, {})),
        lambda: session.write_features([]),
    ):
        with pytest.raises(RuntimeError, match="outside"):
            write()
    with session.writing("samples"), pytest.raises(RuntimeError):
        session.write_features([])


def test_one_writer_for_each_job(session: Session) -> None:
    other = Session.open(session.path)
    with session.writing(), other.writing("samples"), other.writing("marks"):
        with pytest.raises(SessionBusy, match="the fit of session one is being written by process"), other.writing():
            pass
        found = other.writer()
        assert found is not None
        assert found.pid == os.getpid()
        assert other.record == session.record
    assert other.writer() is None


def test_fit_and_checkpoint(session: Session) -> None:
    with session.writing():
        session.write_checkpoint(Checkpoint(1, {"V": np.ones((8, 4), np.float32)}, {"row_batch": 4}))
        session.write_fit(make_fit())
    opened = Session.open(session.path)
    assert opened.has_fit
    assert opened.read_fit().scale == 2.5
    checkpoint = opened.read_checkpoint()
    assert checkpoint is not None
    assert (checkpoint.iteration, checkpoint.state) == (1, {"row_batch": 4})


def described(index: int, **changes: object) -> dict[str, object]:
    known = {"rank": 1, "alpha": 0.5, "norm": 2.0, "kl": 0.25, "words": ["a"], "neighbours": [[0, 0.5]]}
    return {"index": index, **known, **changes}


def test_features(session: Session) -> None:
    with session.writing():
        session.write_features([described(1, alpha=np.float32(0.5)), described(0, kl=float("nan"))])
        for bad in ([{"alpha": 1}], [{"index": 0}, {"index": 0}], [{"index": True}]):
            with pytest.raises(ValueError):
                session.write_features(bad)
    assert session.read_features() == [described(1), described(0, kl=None)]


@pytest.mark.parametrize("data", [b"", b"[]", b'{"schema":1}', b'{"schema":1,"features":[1]}', b'{"features":[]}'])
def test_damaged_features_are_reported(session: Session, data: bytes) -> None:
    (session.path / "features.json").write_bytes(data)
    with pytest.raises(SessionDamaged, match=r"features\.json"):
        session.read_features()
    assert Session.open(session.path).record == session.record


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"index": 4}, "feature 4, and the fit has 4"),
        ({"rank": "a"}, "no rank"),
        ({"rank": None}, "no rank"),
        ({"alpha": None}, "no alpha"),
        ({"norm": []}, "no norm"),
        ({"kl": "much"}, "no kl"),
        ({"words": [1]}, "no words"),
        ({"neighbours": [1]}, "no neighbours"),
        ({"neighbours": [[0, None]]}, "no neighbours"),
    ],
)
def test_features_that_were_edited(session: Session, changes: dict[str, object], said: str) -> None:
    with session.writing():
        session.write_features([{**described(1), **changes}])
    with pytest.raises(SessionDamaged, match=said):
        session.read_features()


@pytest.mark.parametrize("name", ["rank", "alpha", "norm", "kl", "words", "neighbours"])
def test_features_that_lack_a_field(session: Session, name: str) -> None:
    with session.writing():
        session.write_features([{key: value for key, value in described(1).items() if key != name}])
    with pytest.raises(SessionDamaged, match=f"no {name}"):
        session.read_features()


@pytest.mark.parametrize("shape", [(8, 0), (8, 3), (7, 4)])
def test_the_fit_of_another_session(session: Session, shape: tuple[int, int]) -> None:
    directions = np.ones(shape, np.float32)
    tensors = {"U": directions, "V": directions, "alpha": np.ones(shape[1], np.float32), "scale": np.float32(2.5)}
    metadata = {"schema": "1", "iteration": "3", "source": "2", "target": "5"}
    save_file({name: np.asarray(array) for name, array in tensors.items()}, session.path / "fit.safetensors", metadata)
    with pytest.raises(SessionDamaged, match=r"not of this session|no features"):
        session.read_fit()


def test_samples_and_marks(session: Session) -> None:
    sample = Sample(
        feature=1, strength=0.5, prompt="one", prompt_index=0, split="fit", text="\x1b[2Jü", tokens=3, ended=True
    )
    session.samples.append(sample.encode())
    session.samples.append({"feature": "x"})
    samples, notices = session.read_samples()
    assert samples == [sample]
    assert len(notices) == 1
    assert "samples.jsonl" in notices[0]

    session.marks.append(Mark("star", (1,)).encode(), durable=True)
    session.marks.append({"kind": "explode"})
    marks, notices = session.read_marks()
    assert replay(marks).starred() == [1]
    assert len(notices) == 1


def test_chats_stay_in_their_folder(session: Session) -> None:
    session.chat("first").append({"role": "user", "text": "hi"}, durable=True)
    assert session.chat_names() == ["first"]
    for name in ("../x", "a/b", "", ".hidden", "..", "a\0b", "a" * 200, "a\nb"):
        with pytest.raises(DctError, match="no name for a chat"):
            session.chat(name)


def test_a_killed_fit_goes_on_from_its_last_iteration(session: Session) -> None:
    for lines in (1, 3, 7):
        command = [sys.executable, "-c", FITTER, str(session.path)]
        fitter = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert fitter.stdout is not None
        with fitter.stdout:
            said = [int(fitter.stdout.readline()) for _ in range(lines)]
            fitter.send_signal(signal.SIGKILL)
            said += map(int, fitter.stdout.read().split())
        fitter.wait()
        found = Session.open(session.path)
        checkpoint = found.read_checkpoint()
        assert checkpoint is not None
        assert said[-1] <= checkpoint.iteration <= said[-1] + 1
        assert (checkpoint.arrays["V"] == checkpoint.iteration).all()
        assert found.record.status == "fitting"
        assert found.writer() is None
        assert Session.create(session.path, found.record).resumed
    with session.writing():
        assert not list(session.path.glob(".*.tmp"))


def test_sessions_and_exports_import_nothing_heavy() -> None:
    code = (
        "import sys, dct_tui.sessions, dct_tui.export; "
        "print([m for m in ('torch', 'transformers', 'textual') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
