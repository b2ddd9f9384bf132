from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import imgen
from imgen.cli.demo import ASSETS
from imgen.cli.main import app
from imgen.image.file import probe, read, read_mask


def test_the_demo_shows_before_mask_and_after(inpaint_model: Path, tmp_path: Path) -> None:
    output = tmp_path / "demo.png"
    result = CliRunner().invoke(app, ["demo", "-o", str(output), "--model", str(inpaint_model), "--device", "cpu"])
    assert result.exit_code == 0, result.output
    for said in (str(output), "tiny-inpaint", "on cpu", " s by "):
        assert said in result.stdout
    shown, photo = read(output).pixels, read(ASSETS / "astronaut.jpg").pixels
    mask = read_mask(ASSETS / "astronaut-mask.png") > 127
    before, after = shown[:, : photo.shape[1]], shown[:, -photo.shape[1] :]
    np.testing.assert_array_equal(before, photo)
    np.testing.assert_array_equal(after[~mask], photo[~mask])
    assert (after[mask] != photo[mask]).any()


def test_the_bundled_pictures_fit_each_other_and_are_small() -> None:
    photo, mask = probe(ASSETS / "astronaut.jpg"), probe(ASSETS / "astronaut-mask.png")
    assert (photo.width, photo.height) == (mask.width, mask.height)
    assert sum(path.stat().st_size for path in ASSETS.iterdir()) < 300_000


@pytest.mark.parametrize("output", ["no/such/folder/demo.jpg", "."])
def test_an_output_that_cannot_be(inpaint_model: Path, output: str) -> None:
    result = CliRunner().invoke(app, ["demo", "-o", output, "--model", str(inpaint_model)])
    assert result.exit_code in (1, 2)
    assert len(result.stderr.splitlines()) == 1


def test_version() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"imgen {imgen.__version__}\n"
