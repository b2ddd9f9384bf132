from pathlib import Path

import pytest

from imgen.errors import ImageError, UsageError
from imgen_apps.companions import Companions


def test_those_of_a_folder_are_found_by_stem(tmp_path: Path) -> None:
    for name in ("a.png", "sub/a.png", "both.png", "both.jpg", "two.png", "two.webp", ".hidden.png", "text.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    masks = Companions(tmp_path, [".png", ".jpg", ".webp"])
    assert masks.of(Path("photos/a.jpg")) == tmp_path / "a.png"
    assert masks.of(Path("photos/sub/a.jpg")) == tmp_path / "sub" / "a.png"
    assert masks.of(Path("photos/other/a.jpg")) == tmp_path / "a.png"
    assert masks.of(Path("photos/both.jpg")) == tmp_path / "both.jpg"
    with pytest.raises(ImageError, match=r"two.png and two.webp could both be its mask"):
        masks.of(Path("two.jpg"))
    with pytest.raises(ImageError, match=r"b.jpg: no mask called b\.\* in"):
        masks.of(Path("b.jpg"))
    with pytest.raises(UsageError, match="no name to find its mask by"):
        masks.of(b"")
    assert masks.holds(tmp_path / "sub" / "c.png")
    assert not masks.holds(tmp_path.parent / "c.png")


def test_one_file_belongs_to_all(tmp_path: Path) -> None:
    (tmp_path / "one.png").touch()
    maps = Companions(tmp_path / "one.png", [".png"], "instance map")
    assert maps.of(Path("photos/a.jpg")) == maps.of(b"") == tmp_path / "one.png"
    assert maps.holds(tmp_path / "sub" / ".." / "one.png")
    assert not maps.holds(tmp_path / "two.png")
