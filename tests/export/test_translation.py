"""Translating networks as ONNX: photos, label maps with styles, noise; and what imgen makes of the same image."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from imgen.errors import UsageError
from imgen.networks.pix2pixhd import LocalEnhancer
from imgen.networks.translation_resnet import TranslationResNet
from imgen.networks.unet import UNet
from imgen.runtime import load
from imgen.spec import Spec
from imgen_apps.translation import Translation
from imgen_export.forms import form_of
from imgen_export.graph import export

SPEC = Spec("tiny", "translate", "CC0-1.0", multiple=4, receptive_field="normalised")
PALETTE = ("255 0 0 road", "0 255 0 tree", "0 0 255 sky")
STYLES = (([0.1, 0.9], [0.7, 0.2]), ([0.5, 0.5],), ([0.2, 0.3], [1.0, 0.0], [0.0, 1.0]))
SCENE = replace(SPEC, inputs=("labels",), palette=PALETTE, boundaries=True, styles=STYLES)


def generator(inputs: int = 3) -> TranslationResNet:
    torch.manual_seed(0)
    return TranslationResNet(TranslationResNet.Config(inputs=inputs, width=4, blocks=1)).eval()


def embedded(path: Path, **feed: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    made: np.ndarray = session.run(["result"], feed)[0]
    return made


def test_a_photo_is_translated_as_imgen_does(tmp_path: Path) -> None:
    for graph in ("core", "embed"):
        export(generator(), tmp_path / f"{graph}.onnx", SPEC, graph)
    translate = Translation(load(tmp_path / "core.onnx", device="cpu")).translate
    for size in ((37, 50), (9, 8), (3, 41)):
        image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
        made = embedded(tmp_path / "embed.onnx", image=image[None])
        assert made.shape == (1, *size, 3)
        assert np.abs(made[0].astype(int) - translate(image).pixels).max() <= 1


def test_a_label_map_with_styles(tmp_path: Path) -> None:
    network = generator(6)
    for graph in ("core", "embed"):
        export(network, tmp_path / f"{graph}.onnx", SCENE, graph)
    translate = Translation(load(tmp_path / "core.onnx", device="cpu")).translate
    labels = np.random.default_rng(1).integers(0, 3, (5, 6), np.uint8).repeat(7, 0).repeat(6, 1)
    first = embedded(tmp_path / "embed.onnx", labels=labels[None], style=np.zeros((1, 3), np.int64))[0]
    assert np.abs(first.astype(int) - translate(labels[..., None]).pixels).max() <= 1
    other = embedded(tmp_path / "embed.onnx", labels=labels[None], style=np.array([[1, 1, 2]]))[0]
    assert (first != other).mean() > 0.5


def test_a_stochastic_network_takes_its_noise(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = UNet(UNet.Config(width=4, depth=4)).eval()
    noise = {"channels": network.noise_channels, "stride": network.noise_stride, "dropout": 0.5}
    spec = replace(SPEC, inputs=("image", "noise"), multiple=network.multiple, noise=noise, receptive_field="global")
    export(network, tmp_path / "core.onnx", spec)
    image = torch.rand(1, 3, 48, 32)
    drawn = network.noise(image)
    with torch.inference_mode():
        made, without = network(image, drawn), network(image)
    got = load(tmp_path / "core.onnx", device="cpu")(image.numpy(), drawn.numpy())
    assert np.abs(got - made.numpy()).max() <= 1e-4
    assert (made - without).abs().max() > 1e-3
    translate = Translation(load(tmp_path / "core.onnx", device="cpu")).translate
    pixels = (image[0].permute(1, 2, 0) * 255).byte().numpy()
    assert (translate(pixels, style=0).pixels != translate(pixels, style=1).pixels).any()
    with pytest.raises(UsageError, match="'tiny' takes noise, for which the embed graph has no place"):
        form_of(network, spec, "embed")


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(lambda: UNet(UNet.Config(width=2, depth=6)), id="deep"),
        pytest.param(lambda: LocalEnhancer(LocalEnhancer.Config(3, width=2, blocks=1, coarse_blocks=1)), id="enhancer"),
    ],
)
def test_large_multiples_are_compared_at_odd_sizes_too(network, tmp_path: Path) -> None:
    torch.manual_seed(0)
    made = network().eval()
    spec = export(made, tmp_path / "core.onnx", replace(SPEC, multiple=made.multiple))
    assert len(spec.parity["sizes"]) == 4
    assert spec.parity["max_difference"] <= 1e-4
