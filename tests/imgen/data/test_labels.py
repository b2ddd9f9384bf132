from pathlib import Path

import pytest

from imgen.data.labels import by_folder, by_table
from imgen.errors import UsageError


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_the_first_folder_below_is_the_class(tmp_path: Path) -> None:
    touch(tmp_path, "dog/a.png", "cat/old/b.jpg", "cat/c.JPG", "cat/notes.txt", "cat/._c.jpg")
    found = by_folder([tmp_path])
    assert [path.relative_to(tmp_path).as_posix() for path in found.paths] == [
        "cat/c.JPG",
        "cat/old/b.jpg",
        "dog/a.png",
    ]
    assert found.labels.tolist() == [0, 0, 1]
    assert found.classes == ("cat", "dog")


def test_several_folders_share_their_classes(tmp_path: Path) -> None:
    touch(tmp_path, "one/cat/a.png", "two/cat/b.png", "two/dog/c.png")
    found = by_folder([tmp_path / "one", tmp_path / "two"])
    assert found.labels.tolist() == [0, 0, 1]


@pytest.mark.parametrize("names", [("a.png", "cat/b.png", "dog/c.png"), ("all/a.png", "all/b.png")])
def test_no_classes_without_a_folder_for_each(tmp_path: Path, names: tuple[str, ...]) -> None:
    touch(tmp_path, *names)
    found = by_folder([tmp_path])
    assert found.labels.tolist() == [-1] * len(names)
    assert found.classes == ()


def test_refuses_folders_that_are_not_there_or_empty(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere: no such folder"):
        by_folder([tmp_path / "nowhere"])
    touch(tmp_path, "full/a.png", "empty/a.txt")
    with pytest.raises(UsageError, match="is a file of no kind"):
        by_folder([tmp_path / "full" / "a.png"])
    with pytest.raises(UsageError, match="empty: no images"):
        by_folder([tmp_path / "full", tmp_path / "empty"])


def write(folder: Path, text: str) -> Path:
    table = folder / "set.csv"
    table.write_bytes(text.encode("utf-8-sig"))
    return table


def test_a_table_names_files_beside_it(tmp_path: Path) -> None:
    found = by_table(write(tmp_path, "file,age,smile\na.png,30,yes\nb/c.png,,no\nd.png,4,yes\n"), "smile")
    assert found.paths == [tmp_path / "a.png", tmp_path / "b/c.png", tmp_path / "d.png"]
    assert found.labels.tolist() == [1, 0, 1]
    assert found.classes == ("no", "yes")


def test_without_a_column_named_it_is_called_label_or_not_there(tmp_path: Path) -> None:
    assert by_table(write(tmp_path, "file,age,label\na.png,3,x\n")).classes == ("x",)
    found = by_table(write(tmp_path, "file,age\na.png,3\n"))
    assert (found.classes, found.labels.tolist()) == ((), [-1])


def test_numbers_are_sorted_as_numbers_and_gaps_are_unknown(tmp_path: Path) -> None:
    found = by_table(write(tmp_path, "file,age\na.png,30\nb.png,\nc.png,4\nd.png\n"), "age")
    assert found.classes == ("4", "30")
    assert found.labels.tolist() == [1, -1, 0, -1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,age,smile\na.png,1,2\n", "no column is called 'label'; there are: age, smile"),
        ("label\na.png\n", "no column is called 'label'; there are: none"),
        ("", "no column is called 'label'"),
        ("file,label\n", "no rows below the header"),
    ],
)
def test_refuses_a_table_without_the_column_or_rows(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        by_table(write(tmp_path, text), "label")


def test_refuses_what_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "set.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not a readable CSV"):
        by_table(tmp_path / "set.csv", "label")
