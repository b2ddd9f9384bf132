"""What the README and the pages in docs/ show is what imgen does: snippets run, options and links exist."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import typer

from imgen import weights
from imgen.cli.main import app
from imgen.image import file
from imgen.networks.conv import ConvDecoder
from imgen.runtime import catalogue
from imgen.runtime.sharing import whole
from imgen.spec import Spec
from imgen_export.graph import export

ROOT = Path(__file__).parent.parent
ASSETS = ROOT / "imgen" / "assets"
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


@pytest.fixture(scope="module")
def inpaint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `imgen export inpaint-base inpaint.onnx --graph embed` writes."""
    source = catalogue.weights_file("inpaint-base")
    path = tmp_path_factory.mktemp("embed") / "inpaint.onnx"
    export(weights.load(source), path, weights.read_spec(source), "embed")
    return path


def exported(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("embed") / f"{name}.onnx"
    path.write_bytes(whole(catalogue.find_model(name).with_name(f"{name}-embed.onnx")))
    return path


@pytest.fixture(scope="module")
def upscale(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `imgen export upscale-photo-x4 upscale.onnx --graph embed` writes."""
    return exported("upscale-photo-x4", tmp_path_factory)


@pytest.fixture(scope="module")
def derain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `imgen export derain-base derain.onnx --graph embed` writes."""
    return exported("derain-base", tmp_path_factory)


@pytest.fixture(scope="module")
def translate(translate_model: Path) -> Path:
    """A tiny translator."""
    return translate_model


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `imgen export face-detector faces.onnx --graph embed` writes."""
    return exported("face-detector", tmp_path_factory)


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `imgen export runs/vae decoder.onnx` writes, of a tiny run."""
    path = tmp_path_factory.mktemp("decoder") / "decoder.onnx"
    network = ConvDecoder(ConvDecoder.Config(8, 1, code=4, width=4))
    export(network, path, Spec("tiny", "generate", "CC0-1.0", inputs=("code",), size=8, code=4))
    return path


@pytest.mark.parametrize(("page", "text"), SNIPPETS, ids=lambda value: getattr(value, "name", "snippet"))
def test_snippets_run(
    page: Path, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    photo = shutil.copy(ASSETS / "astronaut.jpg", tmp_path / "photo.jpg")
    shutil.copy(ASSETS / "astronaut-mask.png", tmp_path / "mask.png")
    for name in ("inpaint", "upscale", "derain", "translate", "faces", "decoder"):
        if f"{name}.onnx" in text:
            shutil.copy(request.getfixturevalue(name), tmp_path / f"{name}.onnx")
    monkeypatch.chdir(tmp_path)
    exec(compile(text, str(page), "exec"), {})
    for result in tmp_path.glob("filled.*"):
        assert file.probe(result).width == file.probe(photo).width


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_have_the_options_that_they_are_shown_with(line: str) -> None:
    _, verb, *words = shlex.split(line)
    command = typer.main.get_command(app)
    for name in (verb, words[0]) if verb in ("models", "face") else (verb,):
        command = command.commands[name]  # type: ignore[attr-defined]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-") and word != "-"} <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_ci_can_find_the_test_command() -> None:
    assert 'pip install ".[dev]" && pytest' in (ROOT / "README.md").read_text("utf-8")
