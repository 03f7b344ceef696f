"""The memory that is free: of the machine, and of the control group that the program runs in."""

from __future__ import annotations

from pathlib import Path

import pytest

from dct_tui.models import machine

GB = 10**9


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of which 20 GB are free, without a control group."""
    (tmp_path / "meminfo").write_text(f"MemTotal: 24000000 kB\nMemAvailable: {20 * GB // 1024} kB\n")
    (tmp_path / "2").mkdir()
    (tmp_path / "1").mkdir()
    monkeypatch.setattr(machine, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(
        machine,
        "CGROUPS",
        [(tmp_path / folder, *names) for folder, (_, *names) in zip("21", machine.CGROUPS, strict=True)],
    )
    return tmp_path


def test_without_a_limit_it_is_the_machines(groups: Path) -> None:
    (groups / "2" / "memory.max").write_text("max\n")
    (groups / "2" / "memory.current").write_text(str(3 * GB))
    (groups / "2" / "memory.stat").write_text("inactive_file 0\n")
    assert machine.available_bytes("cpu") == pytest.approx(20 * GB, abs=1024)


@pytest.mark.parametrize("version", ["2", "1"])
def test_files_that_were_read_do_not_count_as_used(groups: Path, version: str) -> None:
    limit, used, prefix = {
        "2": ("memory.max", "memory.current", ""),
        "1": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_"),
    }[version]
    (groups / version / limit).write_text(f"{8 * GB}\n")
    (groups / version / used).write_text(f"{8 * GB - 4096}\n")  # full, as after hours of reading
    (groups / version / "memory.stat").write_text(
        f"anon {GB}\n{prefix}inactive_file {4 * GB}\n{prefix}active_file {GB}\n"
    )
    assert machine.available_bytes("cpu") == 5 * GB + 4096
