import json
from pathlib import Path

import platformdirs
import pytest

from imgen.errors import ModelError
from imgen.runtime import catalogue, load, onnxfile

CONTENT = b"the weights of a model" * 100


def test_every_built_in_model_is_what_the_catalogue_says() -> None:
    for name, entry in catalogue._read(catalogue.BUILT_IN / "catalogue.json").items():
        path = catalogue.verify(entry)
        _, spec = onnxfile.read(path)
        assert (spec.name, spec.task, spec.licence) == (name, entry.task, entry.licence)
        assert (catalogue.BUILT_IN / entry.card).stat().st_size > 500


def test_a_task_has_at_most_one_default() -> None:
    tasks = [entry.task for entry in catalogue.entries().values() if entry.default]
    assert len(tasks) == len(set(tasks))


def test_cache_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMGEN_HOME", str(tmp_path / "mine"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert catalogue.cache_dir() == tmp_path / "mine"
    monkeypatch.setenv("IMGEN_HOME", "~/here")
    assert catalogue.cache_dir() == Path.home() / "here"
    monkeypatch.delenv("IMGEN_HOME")
    assert catalogue.cache_dir() == tmp_path / "xdg" / "imgen"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert catalogue.cache_dir() == platformdirs.user_cache_path("imgen", appauthor=False)


def test_pull_then_find(site, home) -> None:
    site.files["/m"] = CONTENT
    path = home.add("mine", CONTENT, urls=[f"{site.url}/m"])
    with pytest.raises(ModelError, match="is not there; imgen models pull mine"):
        catalogue.find_model("mine")
    assert catalogue.pull("mine") == path == catalogue.find_model("mine")
    assert path.read_bytes() == CONTENT


def test_pull_does_nothing_where_the_file_is_whole(site, home) -> None:
    path = home.add("mine", CONTENT, urls=[f"{site.url}/m"])
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    catalogue.pull("mine")
    assert site.requests == []


def test_pull_replaces_a_corrupt_file(site, home) -> None:
    site.files["/m"] = CONTENT
    path = home.add("mine", CONTENT, urls=[f"{site.url}/m"])
    path.parent.mkdir()
    path.write_bytes(CONTENT[::-1])
    with pytest.raises(ModelError, match=r"corrupt, SHA-256 .* imgen models pull mine"):
        catalogue.find_model("mine")
    catalogue.pull("mine")
    assert path.read_bytes() == CONTENT


def test_offline_is_obeyed(site, home, monkeypatch: pytest.MonkeyPatch) -> None:
    path = home.add("mine", CONTENT, urls=[f"{site.url}/m"])
    monkeypatch.setenv("IMGEN_OFFLINE", "1")
    with pytest.raises(ModelError, match="IMGEN_OFFLINE") as caught:
        catalogue.pull("mine")
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 3
    assert site.requests == []


def test_no_address(home) -> None:
    home.add("mine", CONTENT)
    with pytest.raises(ModelError, match="is not there; install imgen again"):
        catalogue.pull("mine")


def test_unknown_name(home) -> None:
    home.add("mine", CONTENT)
    with pytest.raises(ModelError, match="no model is called 'mein'; did you mean 'mine'"):
        load("mein")


def test_wrong_size(home) -> None:
    path = home.add("mine", CONTENT)
    path.parent.mkdir()
    path.write_bytes(CONTENT[1:])
    with pytest.raises(ModelError, match="has 2199 bytes instead of 2200"):
        catalogue.find_model("mine")


def test_loads_by_name(home, inpaint_model: Path) -> None:
    content = inpaint_model.read_bytes()
    path = home.add("mine", content, default=True, task="a new task")
    path.parent.mkdir()
    path.write_bytes(content)
    assert load("mine", device="cpu").spec.name == "tiny-inpaint"
    assert catalogue.default_model("a new task") == "mine"


def test_a_folder_of_the_same_name_does_not_hide_a_model(home, inpaint_model: Path, monkeypatch) -> None:
    content = inpaint_model.read_bytes()
    path = home.add("mine", content)
    path.parent.mkdir()
    path.write_bytes(content)
    (home.path / "mine").mkdir()
    monkeypatch.chdir(home.path)
    assert load("mine", device="cpu").spec.name == "tiny-inpaint"


def test_no_default() -> None:
    with pytest.raises(ModelError, match="no default model for 'cooking'"):
        catalogue.default_model("cooking")


@pytest.mark.parametrize(
    "text",
    ["not JSON", "[]", '{"a": 1}', '{"a": {"file": "x.onnx"}}', json.dumps({"a": {"filed": 1}})],
)
def test_a_catalogue_that_is_none(home, text: str) -> None:
    (home.path / "catalogue.json").write_text(text)
    with pytest.raises(ModelError, match="not a catalogue of models") as caught:
        catalogue.entries()
    assert "\n" not in str(caught.value)


def test_a_catalogue_cannot_name_files_elsewhere(home) -> None:
    home.add("mine", CONTENT, file="../../etc/passwd")
    with pytest.raises(ModelError, match="folders are not allowed"):
        catalogue.entries()
