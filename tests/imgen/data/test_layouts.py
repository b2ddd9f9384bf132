import re
from pathlib import Path

import pytest

from imgen.data.layouts import LAYOUTS, find_domains, find_pairs, find_scenes
from imgen.errors import UsageError


def fill(folder: Path, *names: str) -> Path:
    """A folder with files of no content, as nothing is read yet."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(("a", "b"), LAYOUTS)
def test_one_folder_may_hold_both_domains(a: str, b: str, tmp_path: Path) -> None:
    fill(tmp_path, f"{a}/2.png", f"{a}/1.jpg", f"{b}/1.png", f"{b}/2.webp", "testA/3.png", f"{b}/notes.txt")
    first, second = find_domains([tmp_path])
    assert [path.relative_to(tmp_path).as_posix() for path in first] == [f"{a}/1.jpg", f"{a}/2.png"]
    assert [path.name for path in second] == ["1.png", "2.webp"]
    assert find_domains([tmp_path / a, tmp_path / b]) == (first, second)
    assert find_pairs([tmp_path]) == list(zip(first, second, strict=True))


def test_partners_have_one_name_but_for_suffix_and_ending(tmp_path: Path) -> None:
    a = fill(tmp_path / "labels", "in/x_L.png", "y_gtFine_labelIds.png", "z.png")
    b = fill(tmp_path / "photos", "in/x.jpg", "y_leftImg8bit.png", "z_B.webp")
    names = [(one.name, other.name) for one, other in find_pairs([a, b])]
    assert names == [("x_L.png", "x.jpg"), ("y_gtFine_labelIds.png", "y_leftImg8bit.png"), ("z.png", "z_B.webp")]


def test_domains_that_are_no_pairs_need_no_partners(tmp_path: Path) -> None:
    a, b = fill(tmp_path / "apples", "1.png", "2.png"), fill(tmp_path / "oranges", "7.png", "8.png", "9.png")
    assert [len(paths) for paths in find_domains([a, b])] == [2, 3]


@pytest.mark.parametrize("within", ["", "train/"])
def test_side_by_side_both_are_one_file(within: str, tmp_path: Path) -> None:
    fill(tmp_path, f"{within}1.jpg", f"{within}2.jpg", *(["val/3.jpg"] if within else []))
    assert find_pairs([tmp_path]) == [(tmp_path / within / name,) * 2 for name in ("1.jpg", "2.jpg")]


def test_scenes_may_have_instances(tmp_path: Path) -> None:
    fill(tmp_path, "train_label/1.png", "train_label/2.png", "train_img/1.png", "train_img/2.png")
    assert [len(scene) for scene in find_scenes([tmp_path])] == [2, 2]
    fill(tmp_path, "train_inst/1.png", "train_inst/2.png")
    scenes = find_scenes([tmp_path])
    assert [[path.parent.name for path in scene] for scene in scenes] == [
        ["train_label", "train_img", "train_inst"]
    ] * 2
    assert find_scenes([tmp_path / name for name in ("train_label", "train_img", "train_inst")]) == scenes


@pytest.mark.parametrize(
    ("files", "data", "said"),
    [
        (["a/1.png", "a/2.png", "a/3.png", "b/1.png", "b/2.png"], ["a", "b"], "a holds 3, b holds 2 .*: a/3.png; name"),
        (["a/1.png", "a/2.png", "b/1.png", "b/3.png"], ["a", "b"], "without a partner: a/2.png, b/3.png;"),
        ([f"{d}/{d}{i}.png" for d in "ab" for i in range(9)], ["a", "b"], "a/a0.png, a/a1.png, a/a2.png and 15 more"),
        (["a/1.png", "a/1.jpg", "b/1.png", "b/2.png"], ["a", "b"], "a/1.jpg and 1.png are both called 1"),
        (["a/1.png", "b/1.png"], ["a", "b"], "a/1.png is the only image in a"),
        (["c/1.png"], ["c"], "c/1.png is the only image in c"),
        (["a/1.txt", "b/1.png"], ["a", "b"], "a: no images in it"),
        (["c/trainA/1.png"], ["c"], "c/trainB is not a folder; trainA and trainB belong together"),
        (["a/1.png", "a/2.png"], ["a", "nowhere"], "nowhere is not a folder"),
        (["a/1.png", "a/2.png"], ["a", "a", "a"], "a is a folder too many"),
    ],
)
def test_what_is_wrong_with_pairs_is_named(
    files: list[str], data: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, *files)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=said):
        find_pairs([Path(name) for name in data])


def test_one_folder_of_photographs_is_no_two_domains(tmp_path: Path) -> None:
    fill(tmp_path, "1.png", "2.png")
    with pytest.raises(UsageError, match=re.escape("holds no two domains; give --data A --data B, or a folder")):
        find_domains([tmp_path])
    with pytest.raises(UsageError, match="holds no two domains"):
        find_scenes([tmp_path])
