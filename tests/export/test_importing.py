"""Vectors from files of other programs, and what is refused."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch

from dct_tui.errors import DctError, SessionDamaged
from dct_tui.export import ExportContext, ExportOptions, ExportVector, export_vectors, session_vectors
from dct_tui.export.gguf_file import gguf_bytes
from dct_tui.export.importing import read_vectors
from dct_tui.jobs.import_job import import_file
from dct_tui.sessions import Session
from dct_tui.sessions.averages import make_average
from tests.fitted import WIDTH, fitted_session

Make = Callable[..., ExportVector]
DEPTH = 6
ROW = np.linspace(-1, 2, WIDTH, dtype=np.float32)


def found(path: Path) -> dict[str, tuple[int | None, list[float]]]:
    return {one.name: (one.enters, one.vector.tolist()) for one in read_vectors(path, DEPTH)}


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("form", ["gguf", "safetensors", "npz"])
def test_our_own_files_come_back(make_vector: Make, context: ExportContext, tmp_path: Path, form: str) -> None:
    vectors = [make_vector(1, strength=-0.5), make_vector(2, source=4)]
    for vector in vectors:
        (file,) = export_vectors(form, [vector], context, tmp_path)
        (one,) = read_vectors(file.path, DEPTH)
        assert one.enters == vector.source and one.role == "add"
        np.testing.assert_allclose(one.vector, vector.steering, rtol=1e-6)


def test_directions_to_ablate_stay_such(make_vector: Make, context: ExportContext, tmp_path: Path) -> None:
    (file,) = export_vectors("npz", [make_vector(role="ablate")], context, tmp_path)
    assert [one.role for one in read_vectors(file.path, DEPTH)] == ["ablate"]


def test_the_gguf_package_writes_what_we_read(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf")
    writer = gguf.GGUFWriter(tmp_path / "x.gguf", "controlvector")
    for layer in (0, 1, 4):  # EasySteer writes direction.0
        writer.add_tensor(f"direction.{layer}", ROW * layer + 1)
    writer.add_tensor("direction.3", np.zeros(WIDTH, np.float32))
    writer.add_tensor("direction.5", ROW.astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    read = found(tmp_path / "x.gguf")
    assert {name: enters for name, (enters, _) in read.items()} == {
        "direction.0": 1, "direction.1": 2, "direction.4": 5, "direction.5": 6
    }  # fmt: skip
    assert read["direction.4"][1] == (ROW * 4 + 1).tolist()


def test_tables_and_names_tell_the_layer(tmp_path: Path) -> None:
    arrays = {
        "after": np.stack([ROW * n for n in range(1, DEPTH + 1)]),
        "states": np.stack([ROW * n for n in range(1, DEPTH + 2)]),
        "layers.2.v": ROW,
        "bare": ROW,
        "ids": np.arange(WIDTH),
    }
    read = found(written(tmp_path / "x.safetensors", safetensors.numpy.save(arrays)))
    assert read["after[0]"][0] == 1 and read["after[5]"][0] == 6
    assert read["states[0]"][0] == 0 and read["states[6]"][0] == 6
    assert read["layers.2.v"][0] == 3 and read["bare"][0] is None and "ids" not in read
    np.savez(tmp_path / "x.npz", **arrays)
    assert found(tmp_path / "x.npz") == read


@pytest.mark.parametrize(
    ("name", "enters"),
    [
        ("refusal_v2_layer_4", 5),
        ("llama3_layer2", 3),
        ("model.layers.1.mlp.0", 2),
        ("transformer.h.3.v", 4),
        ("H100-block-2", 3),
        ("direction.5", 6),
        ("vector-4", 5),
        ("v2_of_3", None),
        ("layer_1_to_layer_2", None),
        ("refusal", None),
        ("layer_6", None),
        ("layer_12345", None),
    ],
)
def test_the_layer_in_a_name(tmp_path: Path, name: str, enters: int | None) -> None:
    """Of a model of 6 blocks: the output of block 6 is none of it."""
    data = safetensors.numpy.save({name: ROW})
    assert found(written(tmp_path / "x.safetensors", data))[name][0] == enters


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (pytest.fail, ("it was unpickled",))


def _evil_npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=True, v=np.array([_Evil()], dtype=object))
    return buffer.getvalue()


def _no_array() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("v.npy", b"0")
    return buffer.getvalue()


GOOD = gguf_bytes({"general.architecture": "controlvector"}, {"direction.1": ROW})


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("x.txt", b"1 2 3", "no file that can be imported"),
        ("x.gguf", b"GGUF", "is damaged"),
        ("x.gguf", b"", "is damaged"),
        ("x.gguf", GOOD[:-40], "lies beyond the end"),
        ("x.gguf", gguf_bytes({}, {"direction.1": ROW * np.float32("nan")}), "not finite"),
        ("x.gguf", gguf_bytes({}, {"direction.1": ROW * 0}), "holds no vector"),
        ("x.gguf", gguf_bytes({}, {"weight": ROW}), "holds no vector"),
        ("x.safetensors", b"\xff" * 64, "is damaged"),
        ("x.safetensors", safetensors.numpy.save({"V": ROW}, {"format": "dct-tui vectors"}), "is damaged"),
        ("x.npz", b"PK\x03\x04", "is damaged"),
        ("x.npz", _evil_npz(), "is damaged"),
        ("x.npz", _no_array(), "holds no vector"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    with pytest.raises(DctError, match=words):
        read_vectors(written(tmp_path / name, data), DEPTH)
    with pytest.raises(DctError, match="cannot be read"):
        read_vectors(tmp_path / f"absent-{name.removesuffix('.txt')}.gguf", DEPTH)


def test_any_cut_and_any_changed_byte_is_no_more_than_an_error(tmp_path: Path) -> None:
    for place in range(len(GOOD)):
        for data in (GOOD[:place], GOOD[:place] + bytes([GOOD[place] ^ 0xFF]) + GOOD[place + 1 :]):
            with contextlib.suppress(DctError):
                read_vectors(written(tmp_path / "x.gguf", data), DEPTH)


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "x.npz", v=np.zeros(100_000, np.float32))
    monkeypatch.setattr("dct_tui.export.importing.LARGEST", 10_000)
    assert (tmp_path / "x.npz").stat().st_size < 10_000
    with pytest.raises(DctError, match="unpacks to more"):
        read_vectors(tmp_path / "x.npz", DEPTH)
    np.savez(tmp_path / "y.npz", v=np.zeros(100_000, np.float32))
    with pytest.raises(DctError, match="too large"):
        read_vectors(tmp_path / "y.npz", DEPTH)


def test_they_become_features_of_the_session(tmp_path: Path) -> None:
    session = fitted_session(tmp_path / "one")  # its features enter block 2, R is 2
    torch.save({"direction": {1: torch.from_numpy(ROW), 2: torch.ones(WIDTH)}, "note": "x"}, tmp_path / "x.pt")
    (result,) = import_file(session, tmp_path / "x.pt", None)
    length = float(np.linalg.norm(ROW))
    assert (result.feature, result.name, result.strength) == (6, "direction.1", pytest.approx(length / 2))
    assert make_average(session, [0, 1]) == 7
    (second,) = import_file(session, tmp_path / "x.pt", None, layer=3)
    assert (second.feature, second.name) == (8, "direction.2") and "because that was asked for" in second.layers
    again = Session.open(session.path)
    fit = again.read_fit()
    np.testing.assert_allclose(fit.V[:, 6], ROW / length, rtol=1e-6)
    assert fit.V.shape == (WIDTH, 9) and not fit.U[:, 6].any()
    records = again.read_features()
    assert [record["index"] for record in records] == list(range(9))
    assert records[6]["imported"]["file"] == "x.pt" and records[7]["members"] == [0, 1]
    (vector,) = session_vectors(again, [6], strength=result.strength)
    np.testing.assert_allclose(vector.steering, ROW, rtol=1e-5)
    with pytest.raises(DctError, match="not one row of finite values, not all zero"):
        session_vectors(again, [6], direction="output")


def test_vectors_of_other_layers_or_models_are_refused(tmp_path: Path) -> None:
    session = fitted_session(tmp_path / "one")
    other = written(tmp_path / "x.gguf", gguf_bytes({}, {"direction.3": ROW, "direction.4": ROW}))
    with pytest.raises(DctError, match=r"for what enters block 4, 5, not block 2; .*--source 4.*--layer 4"):
        import_file(session, other, None)
    wide = written(tmp_path / "w.gguf", gguf_bytes({}, {"direction.1": np.ones(9, np.float32)}))
    with pytest.raises(DctError, match="have 9 values, the model's width is 8"):
        import_file(session, wide, None)
    with (tmp_path / "evil.pt").open("wb") as file:
        pickle.dump(_Evil(), file)
    torch.save({"v": _Evil}, tmp_path / "class.pt")
    for name in ("evil.pt", "class.pt"):
        with pytest.raises(DctError, match="not a file of tensors alone"):
            import_file(session, tmp_path / name, None)
    assert session.feature_count == 6 and not (session.path / "imports").exists()


def test_what_was_imported_and_is_changed_is_told(tmp_path: Path) -> None:
    session = fitted_session(tmp_path / "one")
    file = written(tmp_path / "x.gguf", gguf_bytes({}, {"direction.1": ROW}))
    import_file(session, file, None)
    kept = session.path / "imports" / "6.safetensors"
    data = kept.read_bytes()
    kept.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(SessionDamaged, match="not the file that was imported"):
        session.read_fit()
    kept.unlink()
    with pytest.raises(SessionDamaged, match="damaged or missing"):
        session.read_fit()


def test_steering_vector_files_come_back(make_vector: Make, context: ExportContext, tmp_path: Path) -> None:
    session = fitted_session(tmp_path / "one")
    ours = dataclasses.replace(context, depth=DEPTH, width=WIDTH)
    vector = make_vector(vector=ROW, counterpart=None, source=2)
    (file,) = export_vectors("steering-vectors", [vector], ours, tmp_path, ExportOptions())
    (result,) = import_file(session, file.path, None)
    assert result.name == "layer_activations.1" and "the output of block 1" in result.layers
    fit = session.read_fit()
    np.testing.assert_allclose(fit.V[:, 6] * fit.scale * result.strength, vector.steering, rtol=1e-5)
