from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dct_tui.errors import DctError
from dct_tui.export import FORMATS, ExportContext, ExportOptions, ExportVector, export_vectors, exporting
from dct_tui.export.vectors import Role

Make = Callable[..., ExportVector]
FILES = sorted(name for name, form in FORMATS.items() if not form.needs_model)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("form", FILES)
def test_says_what_it_wrote(make_vector: Make, context: ExportContext, tmp_path: Path, form: str) -> None:
    (written,) = export_vectors(form, [make_vector(3)], context, tmp_path / "new" / "folder")
    assert written.path == tmp_path / "new" / "folder" / f"my-session-feature-3{FORMATS[form].suffix}"
    data = written.path.read_bytes()
    assert (written.bytes, written.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_several_vectors(make_vector: Make, context: ExportContext, tmp_path: Path) -> None:
    vectors = [make_vector(1), make_vector(2)]
    export_vectors("safetensors", vectors, context, tmp_path)
    export_vectors("gguf", vectors, context, tmp_path)
    export_vectors("gguf", vectors, context, tmp_path, ExportOptions(combine=True))
    assert names(tmp_path) == [
        "my-session-2-vectors.gguf",
        "my-session-2-vectors.safetensors",
        "my-session-feature-1.gguf",
        "my-session-feature-2.gguf",
        "receipt.json",
    ]


def test_a_file_name_is_taken_as_it_is(make_vector: Make, context: ExportContext, tmp_path: Path) -> None:
    export_vectors("gguf", [make_vector(1)], context, tmp_path / "out.gguf")
    assert names(tmp_path) == ["out.gguf", "receipt.json"]
    with pytest.raises(DctError, match=r"2 vectors make 2 files, and two\.gguf is one"):
        export_vectors("gguf", [make_vector(1), make_vector(2)], context, tmp_path / "two.gguf")


@pytest.mark.parametrize("form", FILES)
def test_nothing_is_overwritten_unless_asked(
    make_vector: Make, context: ExportContext, tmp_path: Path, form: str
) -> None:
    (first,) = export_vectors(form, [make_vector(1)], context, tmp_path)
    with pytest.raises(DctError, match=r"is there already; .*--force"):
        export_vectors(form, [make_vector(1, strength=2.0)], context, tmp_path)
    assert hashlib.sha256(first.path.read_bytes()).hexdigest() == first.sha256
    (second,) = export_vectors(form, [make_vector(1, strength=2.0)], context, tmp_path, ExportOptions(force=True))
    assert second.path == first.path
    assert second.sha256 != first.sha256


def test_a_refused_vector_leaves_no_file(make_vector: Make, context: ExportContext, tmp_path: Path) -> None:
    with pytest.raises(
        DctError,
        match="to be ablated, and the gguf format only adds; choose one of safetensors, npz, python, lora, model",
    ):
        export_vectors("gguf", [make_vector(1), make_vector(2, role="ablate")], context, tmp_path / "out")
    assert names(tmp_path) == []


def test_two_vectors_of_one_name_are_not_written_over_each_other(
    make_vector: Make, context: ExportContext, tmp_path: Path
) -> None:
    with pytest.raises(DctError, match="same name"):
        export_vectors("gguf", [make_vector(1), make_vector(1)], context, tmp_path)


def test_hostile_names_stay_in_the_folder(make_vector: Make, context: ExportContext, tmp_path: Path) -> None:
    odd = make_vector(1, name="../../etc/x\n\x1b[2J\0")
    (written,) = export_vectors("npz", [odd], context, tmp_path / "out")
    assert written.path.parent == tmp_path / "out"
    assert names(tmp_path) == ["out"]


def test_a_full_disk(
    make_vector: Make, context: ExportContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DctError, match=r"no room to write my-session-feature-1\.npz"):
        export_vectors("npz", [make_vector(1)], context, tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize("form", sorted(FORMATS))
@pytest.mark.parametrize("role", ["add", "ablate"])
def test_add_and_ablate_are_not_confused(
    make_vector: Make, context: ExportContext, tmp_path: Path, form: str, role: Role
) -> None:
    vector = make_vector(1, role=role, ablation="stream")
    if role in FORMATS[form].roles and not FORMATS[form].needs_model:
        assert export_vectors(form, [vector], context, tmp_path)
        return
    with pytest.raises(DctError) as refused:
        export_vectors(form, [vector], context, tmp_path)
    if role not in FORMATS[form].roles:
        named = (refused.value.hint or "").removeprefix("choose one of ").split(", ")
        assert named == [other.name for other in FORMATS.values() if role in other.roles]
    else:
        assert "made from the model's weights" in refused.value.message
    assert names(tmp_path) == []


def test_no_such_format_and_nothing_to_export(make_vector: Make, context: ExportContext, tmp_path: Path) -> None:
    with pytest.raises(DctError, match="no export format 'onnx'; choose one of safetensors, npz, gguf"):
        export_vectors("onnx", [make_vector(1)], context, tmp_path)
    with pytest.raises(DctError, match="nothing to export"):
        export_vectors("npz", [], context, tmp_path)


@pytest.mark.parametrize("there", [False, True])
def test_what_is_stopped_between_two_files_leaves_no_file(
    make_vector: Make, context: ExportContext, tmp_path: Path, there: bool
) -> None:
    before = export_vectors("gguf", [make_vector(1)], context, tmp_path / "out") if there else []
    vectors = [make_vector(number, strength=2.0) for number in (1, 2, 3)]
    steps = exporting("gguf", vectors, context, tmp_path / "out", ExportOptions(force=True))
    assert [next(steps).path.name, next(steps).path.name] == ["my-session-feature-1.gguf", "my-session-feature-2.gguf"]
    steps.close()
    assert names(tmp_path) == ["out"] * there
    for file in before:
        assert names(tmp_path / "out") == ["my-session-feature-1.gguf", "receipt.json"]
        assert hashlib.sha256(file.path.read_bytes()).hexdigest() == file.sha256


def test_a_vector_that_is_refused_late_leaves_nothing(
    make_vector: Make, context: ExportContext, tmp_path: Path
) -> None:
    with pytest.raises(DctError, match="no place before block 2"):
        export_vectors("gguf", [make_vector(1), make_vector(2, source=1)], context, tmp_path / "new" / "folder")
    assert names(tmp_path) == []
