"""imgen compare: several methods, several seeds, one table."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from imgen.image.file import probe

Imgen = Callable[..., Result]
Refused = Callable[..., None]
Runs = Callable[..., Path]

FEW = ("--steps", 2, "--batch", 4, "--set", "train.log_every=1", "--device", "cpu")


@pytest.fixture
def compared(runs: Runs, photos: Path, tmp_path: Path, imgen: Imgen) -> tuple[Path, str]:
    """Two methods, one of them in two ways, by a classifier of the same images."""
    words = ("compare", "vae", "vae:beta=4,code=8", "wgan-gp", "--data", photos, "--out", tmp_path / "c", "--size", 8)
    result = imgen(*words, "--seeds", 2, "--set", "width=4", "-n", 8, "--features", runs("classifier"), *FEW)
    assert result.exit_code == 0, (result.output, result.exception)
    return tmp_path / "c", result.stdout


def test_a_comparison_is_a_table_json_and_a_picture(compared: tuple[Path, str]) -> None:
    folder, said = compared
    report = json.loads((folder / "compare.json").read_text())
    assert list(report["summary"]) == ["vae", "vae:beta=4,code=8", "wgan-gp"]
    frechet = next(name for name in report["runs"]["vae"][0] if name.startswith("frechet[local:"))
    first, second = (run[frechet] for run in report["runs"]["wgan-gp"])
    assert first != second
    found = report["summary"]["wgan-gp"][frechet]
    assert found["mean"] == pytest.approx((first + second) / 2)
    assert found["deviation"] == pytest.approx(abs(first - second) / 2**0.5)
    assert "reconstruction psnr" in report["summary"]["vae"]
    assert "reconstruction psnr" not in report["summary"]["wgan-gp"]
    row = next(line for line in said.splitlines() if line.startswith("| reconstruction psnr"))
    assert row.rstrip(" |").endswith("| -")
    assert "2 steps of 4, 2 seeds; 8 samples against as many real ones" in report["protocol"]
    loop = {"train.log_every": "1"}
    assert report["settings"]["vae:beta=4,code=8"] == {"code": "8", "width": "4", "beta": "4"} | loop
    assert (folder / "compare.md").read_text() in said
    assert probe(folder / "compare.png").width == 16 * 10 + 2


def test_all_methods_get_the_same_networks_and_data(compared: tuple[Path, str]) -> None:
    folder, _ = compared
    configs = {path.parent.name: json.loads(path.read_text()) for path in folder.glob("*/config.json")}
    assert configs.keys() == {f"{name}-{seed}" for name in ("vae", "vae-beta=4-code=8", "wgan-gp") for seed in range(2)}
    settings = {name: config["settings"] for name, config in configs.items()}
    assert {each["width"] for each in settings.values()} == {4}
    assert [settings[f"{name}-0"]["code"] for name in ("vae", "wgan-gp", "vae-beta=4-code=8")] == [64, 64, 8]
    assert settings["vae-beta=4-code=8-1"]["beta"] == 4
    assert [configs[f"vae-{seed}"]["train"]["seed"] for seed in range(2)] == [0, 1]


def test_a_comparison_goes_on_where_it_stopped(tmp_path: Path, imgen: Imgen, refused: Refused) -> None:
    words = ("compare", "gan", "--data", "toy:ring", "--out", tmp_path / "c", "--set", "width=4", "-n", 100, *FEW)
    assert imgen(*words, "--seeds", 1).exit_code == 0
    first = tmp_path / "c" / "gan-0" / "checkpoints" / "last.pt"
    before = first.stat().st_mtime_ns
    refused(imgen(*words, "--seeds", 2), 2, "is not empty; give --resume")
    result = imgen(*words, "--seeds", 2, "--resume")
    assert result.exit_code == 0, result.output
    assert "| modes " in result.stdout
    assert "| high quality " in result.stdout
    assert (tmp_path / "c" / "gan-1" / "model.safetensors").exists()
    assert first.stat().st_mtime_ns == before  # it was at its end


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("vea",), "did you mean 'vae'?"),
        (("inpainting",), "no method is called 'inpainting'"),
        (("vae:beta",), "write name=value"),
        (("vae:penalty=1",), "no setting of vae is called 'penalty'"),
        (("vae", "gan", "--set", "penalty=1"), "none of vae, gan has such a setting"),
        (("vae", "--data", "toy:grind"), "did you mean 'grid'?"),
    ],
)
def test_bad_input_is_one_line(
    words: tuple[str, ...], said: str, tmp_path: Path, imgen: Imgen, refused: Refused
) -> None:
    data = () if "--data" in words else ("--data", "toy:ring")
    refused(imgen("compare", *words, *data, "--out", tmp_path / "c", *FEW), 2, said)
