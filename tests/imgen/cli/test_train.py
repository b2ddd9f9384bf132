"""imgen train: one command a method, stopped and resumed, and bad input in one line."""

import errno
import json
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import Result

from imgen.cli.train import METHODS
from imgen.engines import ENGINES
from imgen.engines.vae import VAE
from imgen.training import checkpoint
from imgen_apps.recipes import RECIPES

Imgen = Callable[..., Result]
Refused = Callable[..., None]
Runs = Callable[..., Path]

TINY = ("--size", 8, "--batch", 4, "--device", "cpu", "--set", "width=4")


def test_the_help_names_every_method() -> None:
    assert set(re.findall(r"[a-z][a-z0-9-]+", METHODS)) - {"or"} == {*ENGINES, *RECIPES}


def test_a_run_folder_holds_what_the_page_says(runs: Runs) -> None:
    folder = runs("vae")
    there = {path.name for path in folder.iterdir()}
    assert {"config.json", "log.jsonl", "checkpoints", "model.safetensors", "card.md"} <= there
    config = json.loads((folder / "config.json").read_text())
    assert (config["engine"], config["settings"]["width"], config["data"]["batch"]) == ("vae", 4, 4)
    assert config["classes"] == ["cat", "dog"]
    assert [json.loads(line)["step"] for line in (folder / "log.jsonl").read_text().splitlines()] == [1, 2]


def test_ctrl_c_saves_and_resume_equals_a_run_that_was_never_stopped(
    photos: Path, tmp_path: Path, imgen: Imgen, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["train", "vae", "--data", photos, "--steps", 6, *TINY]
    assert imgen(*command, "--out", tmp_path / "whole").exit_code == 0
    step = VAE.step

    def interrupted(self: VAE, batches: Iterator[Any], t: int) -> Any:
        if t == 3:
            signal.raise_signal(signal.SIGINT)
        yield from step(self, batches, t)

    with monkeypatch.context() as patch:
        patch.setattr(VAE, "step", interrupted)
        result = imgen(*command, "--out", tmp_path / "stopped")
    assert result.exit_code == 130
    assert "stopped at step 4; the same command with --resume goes on from there" in result.stderr
    assert imgen(*command, "--out", tmp_path / "stopped", "--resume").exit_code == 0
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "stopped")]
    assert weights[0][-1000:] == weights[1][-1000:]  # the header names the folders


def test_resume_needs_no_options_and_may_make_the_run_longer(runs: Runs, tmp_path: Path, imgen: Imgen) -> None:
    folder = shutil.copytree(runs("vae"), tmp_path / "vae")
    result = imgen("train", "vae", "--out", folder, "--resume", "--steps", 3, "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert "3 steps" in result.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--batch", 8), "with batch 4, not 8"),
        (("--size", 16), "with size 8, not 16"),
        (("--set", "width=8"), "with width 4, not 8"),
        (("--set", "train.ema=0.5"), "with ema 0.999, not 0.5"),
        (("--data", "elsewhere"), "with names"),
        (("--seed", 3), "with seed 0, not 3"),
    ],
)
def test_a_run_goes_on_as_it_was_begun(options: Any, said: str, runs: Runs, imgen: Imgen, refused: Refused) -> None:
    result = imgen("train", "vae", "--out", runs("vae"), "--resume", "--device", "cpu", *options)
    refused(result, 2, said, "begin another run with --out")


def test_a_run_of_another_method_or_version_is_refused(
    runs: Runs, tmp_path: Path, imgen: Imgen, refused: Refused
) -> None:
    words = ("--out", runs("vae"), "--resume", "--device", "cpu")
    refused(imgen("train", "wgan-gp", *words), 2, "begun with method vae, not wgan-gp")
    refused(imgen("train", "vae", "--data", "x", "--out", runs("vae")), 2, "holds a run already; give --resume")
    refused(imgen("train", "vae", "--out", tmp_path, "--resume"), 3, "is not the folder of a run")
    old = shutil.copytree(runs("vae"), tmp_path / "old")
    state = torch.load(checkpoint.path_in(old), weights_only=True)
    torch.save({**state, "format": 1}, checkpoint.path_in(old))
    refused(imgen("train", "vae", "--out", old, "--resume", "--device", "cpu"), 3, "has format 1")
    checkpoint.path_in(old).write_bytes(b"cut short")
    refused(imgen("train", "vae", "--out", old, "--resume", "--device", "cpu"), 3, "is not a readable checkpoint")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("vea", "--data", "PHOTOS"), 2, "no method is called 'vea'; did you mean 'vae'?"),
        (("vae",), 2, "give --data"),
        (("vae", "--data", "nowhere"), 2, "nowhere: no such folder"),
        (("vae", "--data", "EMPTY"), 2, "no images in it"),
        (("vae", "--data", "ONE"), 2, "is the only image"),
        (("vae", "--data", "DAMAGED"), 1, "2 of 12 images cannot be read, more than 5%"),
        (("vae", "--data", "TABLE", "--column", "kind"), 2, "no column is called 'kind'; there are: colour"),
        (("vae", "--data", "PHOTOS", "--size", "48"), 2, "power of two"),
        (("vae", "--data", "toy:rign"), 2, "did you mean 'ring'?"),
        (("vae", "--data", "PHOTOS", "--set", "wdith=3"), 2, "did you mean 'width'?"),
        (("vae", "--data", "PHOTOS", "--set", "train.ema=2"), 2, "ema must be 0 or more and less than 1"),
        (("vae", "--data", "PHOTOS", "--augment", "flop"), 2, "did you mean 'flip'?"),
        (("vae", "--data", "PHOTOS", "--device", "cuda:9"), 4, "cuda:9"),
        (("vae", "--data", "PHOTOS", "--device", "gpu"), 2, "no such device"),
        (("vae", "--data", "PHOTOS", "--precision", "fp8"), 2, "fp32 or bf16"),
        (("vae", "--data", "PHOTOS", "--start", "x"), 2, "--start is for recipes"),
        (("vae", "--pairs", "PHOTOS", "PHOTOS"), 2, "--pairs is for recipes"),
        (("deraining", "--data", "PHOTOS", "--pairs", "PHOTOS", "PHOTOS"), 2, "give one of them"),
        (("deraining", "--pairs", "PHOTOS", "nowhere"), 2, "nowhere is not a folder"),
        (("deraining", "--pairs", "EMPTY", "PHOTOS"), 2, "no images in it"),
        (("inpainting", "--pairs", "PHOTOS", "PHOTOS"), 2, "learns from single photographs"),
        (("inpainting", "--data", "PHOTOS", "--size", "64"), 2, "--size 64 is not for this recipe"),
        (("inpainting", "--data", "PHOTOS", "--batch", "9"), 2, "a multiple of 8"),
        (("upscaling-x5", "--data", "PHOTOS"), 2, "did you mean 'upscaling-x"),
        (("upscaling-x4", "--data", "nowhere"), 2, "nowhere is not a folder"),
        (("upscaling-x4", "--data", "PHOTOS", "--set", "width=16"), 2, "--set is not for upscaling-x4"),
        (("upscaling-x4", "--data", "PHOTOS", "--start", "nowhere"), 3, "nowhere"),
        (("vae", "--data", "PHOTOS", "--direction", "BtoA"), 2, "--direction is for recipes"),
        (("upscaling-x4", "--data", "PHOTOS", "--labels", "3"), 2, "takes no label maps"),
        (("conditional-gan", "--data", "EMPTY/../plain"), 2, "needs data of 2 or more classes"),
    ],
)
def test_bad_input_is_one_line(
    words: tuple[str, ...], code: int, said: str, photos: Path, tmp_path: Path, imgen: Imgen, refused: Refused
) -> None:
    names = {name: tmp_path / name.lower() for name in ("EMPTY", "ONE", "DAMAGED", "TABLE")}
    names |= {"PHOTOS": photos, "EMPTY/../plain": tmp_path / "plain"}
    for name in ("EMPTY", "ONE", "EMPTY/../plain"):
        names[name].mkdir()
    shutil.copy(photos / "cat" / "1.png", names["ONE"])
    for path in (photos / "cat").iterdir():
        shutil.copy(path, tmp_path / "plain")
    shutil.copytree(photos, names["DAMAGED"])
    for name in ("a.png", "b.png"):
        (names["DAMAGED"] / "cat" / name).write_bytes(b"this is no image")
    names["TABLE"] = tmp_path / "table.csv"
    names["TABLE"].write_text("file,colour\nplain/1.png,red\n")
    out = tmp_path / "run"
    chosen = [str(names.get(word, word)) for word in words]
    device = () if "--device" in words else ("--device", "cpu")
    refused(imgen("train", *chosen, "--out", out, *device), code, said)
    assert not out.exists()


def test_a_damaged_image_among_many_is_named_and_left_out(
    photos: Path, tmp_path: Path, imgen: Imgen, caplog: pytest.LogCaptureFixture
) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(30):
        shutil.copy(photos / "cat" / "1.png", many / f"{number}.png")
    (many / "broken.png").write_bytes(b"this is no image")
    result = imgen("train", "vae", "--data", many, "--out", tmp_path / "run", "--steps", 1, *TINY)
    assert result.exit_code == 0, result.output
    assert "1 of 31 images left out" in caplog.text
    assert "broken.png" in caplog.text


def test_too_little_memory_says_what_to_lower(
    photos: Path, tmp_path: Path, imgen: Imgen, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    def greedy(self: VAE, batches: Iterator[Any], t: int) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")
        yield

    monkeypatch.setattr(VAE, "step", greedy)
    result = imgen("train", "vae", "--data", photos, "--out", tmp_path / "run", *TINY)
    refused(result, 1, "step 0: out of memory on cpu; lower the batch")


def test_a_full_disk_leaves_the_last_good_checkpoint(
    photos: Path, tmp_path: Path, imgen: Imgen, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    command = ("train", "vae", "--data", photos, "--out", folder, *TINY)
    assert imgen(*command, "--steps", 1).exit_code == 0
    before = checkpoint.path_in(folder).read_bytes()
    atomic = checkpoint.atomic

    class Full:
        def write(self, data: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    @contextmanager
    def full(path: Path) -> Iterator[Full]:
        with atomic(path):
            yield Full()

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "atomic", full)
        refused(imgen(*command, "--steps", 2, "--resume"), 1, "last.pt", "the disk is full")
    assert checkpoint.path_in(folder).read_bytes() == before
    assert imgen(*command, "--steps", 2, "--resume").exit_code == 0
