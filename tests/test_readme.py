"""What the README and the pages in docs/ show is what imgen does: snippets run, options and links exist."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import typer
from PIL import Image

from imgen.cli.main import app
from imgen.runtime import catalogue
from imgen_export.graph import export

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


SNIPPETS = [(page, text) for page in PAGES for text in blocks(page, "python")]
COMMANDS = [
    line.split("  #")[0].split(" < ")[0]
    for page in PAGES
    for text in blocks(page, "bash")
    for line in re.split(r"\n| && ", text)
    if line.startswith("imgen ")
]


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that snippets name, as the current one."""
    assets = ROOT / "imgen" / "assets"
    shutil.copy(assets / "astronaut.jpg", tmp_path / "photo.jpg")
    shutil.copy(assets / "astronaut-mask.png", tmp_path / "mask.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("page", "text"), SNIPPETS, ids=lambda value: getattr(value, "name", "snippet"))
def test_snippets_run(page: Path, text: str, photos: Path) -> None:
    if "inpaint.onnx" in text:
        from imgen import weights

        source = catalogue.weights_file("inpaint-base")
        export(weights.load(source), photos / "inpaint.onnx", weights.read_spec(source), "embed")
    exec(compile(text, str(page), "exec"), {})
    for result in photos.glob("filled.*"):
        assert Image.open(result).size == Image.open(photos / "photo.jpg").size


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_have_the_options_that_they_are_shown_with(line: str) -> None:
    _, verb, *words = shlex.split(line)
    command = typer.main.get_command(app)
    for name in (verb, words[0]) if verb == "models" else (verb,):
        command = command.commands[name]  # type: ignore[attr-defined]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-") and word != "-"} <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_ci_can_find_the_test_command() -> None:
    assert 'pip install ".[dev]" && pytest' in (ROOT / "README.md").read_text("utf-8")
