import os
import stat
import sys
from pathlib import Path

import pytest

from imgen.errors import ImageError
from imgen.image.atomic import PARTIAL, atomic


def test_file_appears_only_when_whole(tmp_path):
    target = tmp_path / "a.bin"
    with atomic(target) as stream:
        stream.write(b"whole")
        assert [p.name for p in tmp_path.glob(PARTIAL)] == [p.name for p in tmp_path.iterdir()]
    assert target.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_exception_leaves_the_old_file_and_nothing_else(tmp_path, error):
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")
    with pytest.raises(error), atomic(target) as stream:  # noqa: PT012
        stream.write(b"half")
        raise error
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_permissions_are_those_of_any_new_file_or_of_the_file_replaced(tmp_path):
    plain, ours = tmp_path / "plain", tmp_path / "ours"
    plain.write_bytes(b"")
    with atomic(ours):
        pass
    assert ours.stat().st_mode == plain.stat().st_mode
    ours.chmod(0o600)
    with atomic(ours):
        pass
    assert stat.S_IMODE(ours.stat().st_mode) == 0o600


def test_a_link_stays_a_link(tmp_path):
    link, real = tmp_path / "link", tmp_path / "real"
    link.symlink_to(real)
    with atomic(link) as stream:
        stream.write(b"x")
    assert link.is_symlink()
    assert real.read_bytes() == b"x"


def test_a_directory_a_missing_folder_and_a_file_as_folder_are_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for target, words in [
        (tmp_path, "it is a directory"),
        (tmp_path / "none" / "a", "folder does not exist"),
        (tmp_path / "file" / "a", "folder is a file"),
        (tmp_path / ("n" * 300), "too long"),
    ]:
        with pytest.raises(ImageError, match=words), atomic(target):
            pass


@pytest.mark.skipif(sys.platform == "win32", reason="devices of Linux")
def test_a_device_is_refused():
    with pytest.raises(ImageError, match="not a regular file"), atomic(os.devnull):
        pass


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ImageError, match="permission denied"), atomic(tmp_path / "a"):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_full_disk_is_one_line(tmp_path):
    with pytest.raises(ImageError, match="disk is full") as caught, atomic(tmp_path / "a"):
        Path("/dev/full").write_bytes(b"x" * 100_000)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
