"""How much memory is left."""

from pathlib import Path

import pytest

from imgen.runtime import memory


def _group(folder: Path, limit: str) -> None:
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text("6000\n")
    (folder / "memory.stat").write_text("anon 5000\nfile 1000\n")


def test_a_control_group_limits_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    machine = memory.available()
    _group(tmp_path, "max")
    assert (memory.available() or 0) > 1e6 or machine is None
    _group(tmp_path, "8000")
    assert memory.available() == 3000  # what holds files can be had
    _group(tmp_path, "4000")
    assert memory.available() == 0
