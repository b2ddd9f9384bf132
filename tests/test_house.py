"""The house rules that no other tool checks."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("imgen", "apps", "export", "tests", "benchmarks", "examples", "docs")
TEXTS = [
    path
    for path in (*ROOT.glob("*.*"), *(p for folder in FOLDERS for p in (ROOT / folder).rglob("*")))
    if path.suffix in {".py", ".md", ".toml", ".yaml", ".txt", ".json"}
]
SOURCES = [path for path in TEXTS if path.suffix == ".py"]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_a_file_has_at_most_300_lines() -> None:
    assert [name(path) for path in SOURCES if len(path.read_text("utf-8").splitlines()) > 300] == []


def test_no_file_names_a_place_on_someone_s_machine() -> None:
    place = re.compile(r"(?<![\w.])/(?:home|root|work|Users)/\w")
    assert [name(path) for path in TEXTS if place.search(path.read_text("utf-8"))] == []


@pytest.mark.parametrize("package", ["imgen", "apps/imgen_apps", "export/imgen_export"])
def test_every_folder_of_modules_is_a_package(package: str) -> None:
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_every_model_has_a_card() -> None:
    models = [p for p in (ROOT / "imgen" / "models").iterdir() if p.suffix in {".onnx", ".safetensors"}]
    cards = [model.with_name(model.stem.removesuffix("-embed") + ".md") for model in models]
    assert [card.name for card in cards if not card.exists()] == []
