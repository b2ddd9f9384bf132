"""Raindrop removers as ONNX: the unrolled recurrence, two outputs, and what imgen makes of the same image."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from imgen.networks.raindrops import RaindropRemover
from imgen.runtime import load
from imgen.spec import Spec
from imgen_apps.raindrop_removal import RaindropRemoval
from imgen_export.graph import export

SPEC = Spec("tiny", "derain", "CC0-1.0", outputs=("result", "attention"), receptive_field="finite")


def tiny() -> RaindropRemover:
    torch.manual_seed(0)
    network = RaindropRemover(RaindropRemover.Config(attention=8, blocks=1, steps=2, width=8))
    for name, parameter in network.named_parameters():
        if name.startswith(("paint.frames", "attend.leave")):
            torch.nn.init.normal_(parameter, std=0.2)
    return network.eval()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, network = tmp_path_factory.mktemp("export"), tiny()
    for graph in ("core", "embed"):
        export(network, folder / f"{graph}.onnx", replace(SPEC, multiple=network.multiple), graph)
    return folder


def embedded(files: Path, image: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(files / "embed.onnx", providers=["CPUExecutionProvider"])
    result: list[np.ndarray] = session.run(["result", "attention"], {"image": image})
    return result


@pytest.mark.parametrize("size", [(1, 3, 32, 128), (2, 3, 96, 64), (1, 3, 160, 128)])
def test_core_equals_torch_at_sizes_it_was_not_traced_at(files: Path, size: tuple[int, ...]) -> None:
    image = torch.rand(size)
    with torch.inference_mode():
        made, attention = tiny()(image)
    assert 0.1 < (attention > 0).float().mean() < 0.9
    got = load(files / "core.onnx", device="cpu")(image.numpy())
    assert np.abs(got - torch.cat([made, attention], 1).numpy()).max() <= 1e-4


@pytest.mark.parametrize("size", [(1, 1, 1), (2, 17, 31), (1, 100, 3)])
def test_embed_takes_any_size_and_keeps_what_is_clear(files: Path, size: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    result, found = embedded(files, image)
    assert (result.shape, result.dtype, found.shape, found.dtype) == (image.shape, np.uint8, size, np.uint8)
    np.testing.assert_array_equal(result[found == 0], image[found == 0])


def test_embed_is_what_imgen_makes(files: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (96, 160, 3), np.uint8)
    (result,), (found,) = embedded(files, image[None])
    ours = RaindropRemoval(load(files / "core.onnx", device="cpu")).remove(image)
    assert ours.changed
    assert np.abs(ours.found.astype(int) - found).max() <= 1
    assert np.abs(image.astype(int) - result).max() <= 1
    assert (image == result).mean() > 0.99
