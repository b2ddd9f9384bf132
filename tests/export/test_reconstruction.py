"""Auto-encoders that are told the class, as files in a plain runtime."""

from pathlib import Path

import numpy as np
import onnxruntime
import torch

from imgen.networks.conditional_autoencoder import ConditionalAutoencoder
from imgen.networks.conv import ConvDecoder, ConvEncoder
from imgen.spec import Spec
from imgen_export.graph import export

SPEC = Spec("tiny", "reconstruct", "CC0-1.0", inputs=("image", "label"), size=16, classes=3)


def test_8_bit_images_and_numbers_of_classes_to_8_bit_images(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = ConditionalAutoencoder.of(
        ConvEncoder(ConvEncoder.Config(16, 3, 8, width=4, classes=3)),
        ConvDecoder(ConvDecoder.Config(16, 3, 4, width=4, classes=3)),
    ).eval()
    for weight in network.decoder.parameters():
        weight.data *= 10  # as it begins, all that it makes is grey
    export(network, tmp_path / "out.onnx", SPEC, "embed")
    session = onnxruntime.InferenceSession(tmp_path / "out.onnx", providers=["CPUExecutionProvider"])
    image = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8)
    label = np.arange(3)
    (made,) = session.run(None, {"image": image, "label": label})
    assert made.dtype == np.uint8
    with torch.inference_mode():
        values = torch.from_numpy(image).permute(0, 3, 1, 2) / 255
        wanted = 255 * network(values, torch.from_numpy(label)).permute(0, 2, 3, 1).clamp(0, 1).numpy()
    assert np.abs(made - wanted).max() <= 0.6
    assert (
        np.abs(made[0].astype(int) - session.run(None, {"image": image, "label": label[::-1].copy()})[0][0]).max() > 0
    )
