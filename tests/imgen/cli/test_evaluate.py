import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from imgen import weights
from imgen.cli.main import app
from imgen.networks.conv import ConvDiscriminator
from imgen.spec import Spec


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sets of 120 images, two alike and one darker, copies of the first in another format, and a classifier."""
    root = tmp_path_factory.mktemp("sets")
    random = np.random.default_rng(0)
    for name, mean in (("one", 150), ("like", 150), ("dark", 60)):
        (root / name).mkdir()
        for number in range(120):
            pixels = random.normal(mean, 40, (16, 16, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(root / name / f"{number}.png")
            if name == "one":
                (root / "copies").mkdir(exist_ok=True)
                Image.fromarray(pixels).save(root / "copies" / f"{number}.bmp")
    torch.manual_seed(0)
    network = ConvDiscriminator(ConvDiscriminator.Config(8, 3, width=4, outputs=5))
    weights.save(network, root / "local.safetensors", Spec("c", "classify", "CC0-1.0", inputs=("image",)))
    return root


def run(folder: Path, *arguments: str) -> dict[str, float]:
    names = [str(folder / name) for name in arguments[:2]]
    command = ["evaluate", *names, "--features", str(folder / "local.safetensors"), "--device", "cpu", "--json"]
    result = CliRunner().invoke(app, [*command, *arguments[2:]])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert "8 px for local:" in found["protocol"]
    assert all(name in {"mse", "mae", "psnr", "ssim"} or "[local:" in name for name in found["metrics"])
    return {name.partition("[")[0]: value for name, value in found["metrics"].items()}


def test_like_sets_are_closer_than_unlike_ones(folder: Path) -> None:
    like, dark = run(folder, "one", "like"), run(folder, "one", "dark")
    assert dark["frechet"] > 10 * like["frechet"]
    assert dark["kernel"] > 10 * abs(like["kernel"])
    assert like["coverage"] > 0.8
    assert dark["coverage"] < 0.2
    assert 1 <= like["score"] <= 5


def test_pairs_are_found_by_name_and_compared_whole(folder: Path) -> None:
    found = run(folder, "one", "copies", "--paired")
    assert (found["mse"], found["psnr"], found["ssim"]) == (0, None, pytest.approx(1))
    assert found["frechet"] == pytest.approx(0, abs=1e-5)


def test_the_limit_is_said(folder: Path) -> None:
    command = ["evaluate", str(folder / "one"), str(folder / "like"), "--limit", "20", "--size", "12"]
    result = CliRunner().invoke(app, [*command, "--features", str(folder / "local.safetensors"), "--device", "cpu"])
    assert result.exit_code == 0, result.output
    assert "20 of 120 against 20 of 120 images" in result.stdout
    assert "to 12 px" in result.stdout
    assert result.stdout.count("\n") == 7  # six metrics and the protocol: no score of twenty images


def test_refuses_pairs_without_partners(folder: Path) -> None:
    (folder / "fewer").mkdir()
    for number in range(8):
        Image.new("RGB", (16, 16)).save(folder / "fewer" / f"{number}.png")
    result = CliRunner().invoke(app, ["evaluate", str(folder / "one"), str(folder / "fewer"), "--paired"])
    assert result.exit_code == 2
    assert "10: is in one of" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere", "nowhere"], 2, "nowhere: no such folder"),
        (["a", "b", "--features", "vgg"], 2, "no feature network is called 'vgg'"),
        (["a", "b", "--features", "missing.pt"], 3, "missing.pt: no such file"),
        (["a", "b", "--device", "cuda:99"], 4, "cuda:99"),
        (["a", "b", "--device", "abacus"], 2, "torch knows no such device"),
    ],
)
def test_refuses_in_one_line(arguments: list[str], code: int, message: str) -> None:
    result = CliRunner().invoke(app, ["evaluate", *arguments])
    assert result.exit_code == code
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
