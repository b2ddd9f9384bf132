import os
from pathlib import Path

import pytest

from imgen.errors import UsageError
from imgen_apps.jobs import Job, discover


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("in/b.png", "in/a.jpg", "in/a.PNG", "in/notes.txt", "in/.hidden.png", "in/sub/a.jpg", "in/.git/x.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path


def find(*inputs, output="out", recursive=False, name_suffix="", extension=None):
    jobs = discover(
        inputs,
        None if output is None else Path(output),
        suffixes={".png", ".jpg"},
        recursive=recursive,
        name_suffix=name_suffix,
        extension=extension,
    )
    return {job.source.as_posix(): job.target.as_posix() for job in jobs}


def test_folder_is_sorted_without_hidden_and_other_files(tree):
    found = find("in")
    assert found == {"in/a.PNG": "out/a.PNG", "in/a.jpg": "out/a.jpg", "in/b.png": "out/b.png"}
    assert list(found) == ["in/a.PNG", "in/a.jpg", "in/b.png"]


def test_tree_is_mirrored(tree):
    assert find("in", recursive=True)["in/sub/a.jpg"] == "out/sub/a.jpg"


def test_one_extension_for_all_keeps_targets_apart(tree):
    found = find("in", extension=".png")
    assert found["in/a.jpg"] == "out/a_jpg.png"
    assert found["in/a.PNG"] == "out/a.png"


def test_the_name_is_kept_by_the_file_that_keeps_its_suffix_and_numbers_end_all_doubt(tree):
    (tree / "in/a_jpg.png").touch()
    (tree / "in/a.png").touch()
    (tree / "in/a.PNG").unlink()
    found = find("in", extension=".png")
    assert found["in/a.png"] == "out/a.png"
    assert found["in/a_jpg.png"] == "out/a_jpg.png"
    assert found["in/a.jpg"] == "out/a_jpg_2.png"


def test_several_folders_keep_their_names(tree):
    (tree / "other").mkdir()
    (tree / "other/b.png").touch()
    found = find("in", "other")
    assert found["in/b.png"] == "out/in/b.png"
    assert found["other/b.png"] == "out/other/b.png"


def test_glob_mirrors_from_where_it_begins(tree):
    assert find("in/**/a.*") == {
        "in/a.PNG": "out/a.PNG",
        "in/a.jpg": "out/a.jpg",
        "in/sub/a.jpg": "out/sub/a.jpg",
    }
    assert list(find(str(tree / "in" / "*.png"))) == [(tree / "in/b.png").as_posix()]


def test_a_file_whose_name_looks_like_a_glob_is_a_file(tree):
    (tree / "in/[b].png").touch()
    assert find("in/[b].png") == {"in/[b].png": "out/[b].png"}


def test_files_of_equal_name_and_files_named_twice(tree):
    assert find("in/a.jpg", "in/sub/a.jpg", "./in/../in/a.jpg") == {
        "in/a.jpg": "out/a.jpg",
        "in/sub/a.jpg": "out/a_jpg.jpg",
    }


def test_missing_file_is_a_job_so_that_it_fails_alone(tree):
    assert find("in/a.jpg", "gone.jpg")["gone.jpg"] == "out/gone.jpg"


def test_single_file(tree):
    assert find("in/a.jpg", output="x/new.webp") == {"in/a.jpg": "x/new.webp"}
    assert find("in/a.jpg", output="x", name_suffix="_filled") == {"in/a.jpg": "x/a_filled.jpg"}
    assert find("in/a.jpg", output=None, name_suffix="_filled") == {"in/a.jpg": "in/a_filled.jpg"}


def test_results_beside_the_inputs_are_not_inputs(tree):
    expected = find("in", output=None, name_suffix="_filled")
    for target in expected.values():
        Path(target).touch()
    assert find("in", output=None, name_suffix="_filled") == expected


def test_output_folder_inside_the_input_is_not_an_input(tree):
    expected = find("in", output="in/out", recursive=True)
    assert expected["in/sub/a.jpg"] == "in/out/sub/a.jpg"
    (tree / "in/out").mkdir()
    (tree / "in/out/b.png").touch()
    assert find("in", output="in/out", recursive=True) == expected


def test_in_place(tree):
    assert find("in", output="in")["in/b.png"] == "in/b.png"


@pytest.mark.parametrize("output", ["out.png", "in/a.jpg"])
def test_file_as_output_of_several(tree, output):
    with pytest.raises(UsageError, match=r"name a folder"):
        find("in", output=output)


def test_nothing_found(tree):
    with pytest.raises(UsageError, match=r"no images in none/\*.png"):
        find("none/*.png")
    (tree / "deep/er").mkdir(parents=True)
    with pytest.raises(UsageError, match="--recursive"):
        find("deep")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads everything")
def test_unreadable_folder_is_said(tree):
    (tree / "in").chmod(0)
    try:
        with pytest.raises(UsageError, match="in cannot be read"):
            find("in")
    finally:
        (tree / "in").chmod(0o755)


def test_job_is_a_value():
    assert Job(Path("a"), Path("b")) == Job(Path("a"), Path("b"), companions=())
