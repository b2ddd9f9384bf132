from dataclasses import replace
from pathlib import Path

import pytest
import torch

from imgen import weights
from imgen.errors import ModelError
from imgen.networks import NETWORKS
from imgen.networks.attentive_discriminator import AttentiveDiscriminator
from imgen.networks.conditional_autoencoder import ConditionalAutoencoder
from imgen.networks.conv import ConvDecoder, ConvEncoder
from imgen.networks.default import decoder, discriminator, encoder, joint_discriminator
from imgen.networks.face_detector import FaceDetector
from imgen.networks.face_editor import FaceEditor
from imgen.networks.inpainter import Inpainter
from imgen.networks.mapped import MappedDecoder
from imgen.networks.mlp import MLP
from imgen.networks.network import Network
from imgen.networks.patchgan import PIX2PIX, PatchGAN
from imgen.networks.pix2pixhd import LocalEnhancer, MultiscaleDiscriminator
from imgen.networks.raindrops import RaindropRemover
from imgen.networks.recogniser import Recogniser
from imgen.networks.resnet import ResNetCritic, ResNetGenerator
from imgen.networks.scale import Shape
from imgen.networks.srresnet import SRGANDiscriminator, SRResNet
from imgen.networks.translation_resnet import TranslationResNet
from imgen.networks.unet import UNet
from imgen.networks.upscaler import Upscaler
from imgen.spec import Spec

SPEC = Spec(name="tiny", task="inpaint", licence="CC0-1.0", inputs=("image", "mask"), multiple=16)


IMAGE, VECTOR = Shape(8, 1, 3), Shape(0, 2)
NETS: list[Network] = [
    Inpainter(Inpainter.Config(half=4, quarter=4, eighth=8, blocks=2)),
    PatchGAN(PatchGAN.Config(width=4)),
    PatchGAN(replace(PIX2PIX, width=4)),
    AttentiveDiscriminator(AttentiveDiscriminator.Config(width=16)),
    FaceDetector(FaceDetector.Config(width=8, blocks=1)),
    RaindropRemover(RaindropRemover.Config(attention=4, blocks=1, steps=2, width=4)),
    encoder(IMAGE, 4, width=4),
    decoder(IMAGE, 4, width=4, conditional=True),
    discriminator(IMAGE, width=4),
    joint_discriminator(IMAGE, 4, width=4),
    encoder(VECTOR, 4, width=4),
    discriminator(VECTOR, width=4),
    ResNetGenerator(ResNetGenerator.Config(8, 1, 4, 4)),
    ResNetCritic(ResNetCritic.Config(8, 1, 4)),
    SRGANDiscriminator(SRGANDiscriminator.Config(32, 3, 4, 8)),
    SRResNet(SRResNet.Config(4, 4, 1)),
    TranslationResNet(TranslationResNet.Config(width=4, blocks=1)),
    UNet(UNet.Config(width=4, depth=4)),
    FaceEditor(FaceEditor.Config(8, 1, 4, 4, 4, 4, 4)),
    Recogniser(Recogniser.Config(8, 1, 4, 4, classes=3)),
    LocalEnhancer(LocalEnhancer.Config(6, width=2, blocks=1, coarse_blocks=1, coarse_downs=1)),
    MultiscaleDiscriminator(MultiscaleDiscriminator.Config(width=2, scales=2)),
    Upscaler(Upscaler.Config(4, 8, 1)),
    ConditionalAutoencoder.of(
        ConvEncoder(ConvEncoder.Config(8, 1, 8, width=4, classes=3)),
        ConvDecoder(ConvDecoder.Config(8, 1, 4, width=4, classes=3)),
    ),
    MappedDecoder.of(MLP(MLP.Config(3, 4, 8)), decoder(IMAGE, 4, width=4)),
]


def test_no_network_is_left_out() -> None:
    assert {type(net) for net in NETS} == set(NETWORKS.values())


@pytest.mark.parametrize("net", NETS, ids=lambda net: type(net).__name__)
def test_a_file_rebuilds_every_network(net: Network, tmp_path: Path) -> None:
    weights.save(net, tmp_path / "net.safetensors", SPEC)
    again = weights.load(tmp_path / "net.safetensors")
    assert again.config == net.config
    assert all(torch.equal(again.state_dict()[key], value) for key, value in net.state_dict().items())
    spec = weights.read_spec(tmp_path / "net.safetensors")
    assert (NETWORKS[spec.network], spec.licence, spec.inputs) == (type(net), "CC0-1.0", ("image", "mask"))


def test_what_is_wrong_with_a_file_is_said(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "net.safetensors"
    with pytest.raises(ModelError, match="not a readable safetensors file"):
        weights.load(path)
    path.write_bytes(b"\xff" * 100)
    with pytest.raises(ModelError, match="not a readable safetensors file"):
        weights.load(path)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(ModelError, match="no imgen description"):
        weights.load(path)
    weights.save(NETS[0], path, SPEC)
    text = path.read_bytes().replace(b'\\"eighth\\": 8', b'\\"eighth\\": 9')
    path.write_bytes(text)
    with pytest.raises(ModelError, match="do not fit"):
        weights.load(path)
    path.write_bytes(text.replace(b'\\"eighth\\"', b'\\"finest\\"'))
    with pytest.raises(ModelError, match="of another version of imgen, whose inpainter has finest; use that version"):
        weights.load(path)


def test_a_mean_counts_each_file_as_often_as_it_is_named(tmp_path: Path) -> None:
    one, other = (tmp_path / f"{name}.safetensors" for name in ("one", "other"))
    for path, value in ((one, 0.0), (other, 3.0)):
        network = Inpainter(Inpainter.Config(half=4, quarter=4, eighth=8, blocks=2))
        for parameter in network.parameters():
            torch.nn.init.constant_(parameter, value)
        weights.save(network, path, SPEC)
    assert all((parameter == 2.0).all() for parameter in weights.mean([one, other, other]).parameters())


@pytest.mark.parametrize("other", [PatchGAN(PatchGAN.Config(width=8)), NETS[0]])
def test_a_mean_of_unlike_networks_is_refused(other: Network, tmp_path: Path) -> None:
    one, another = (tmp_path / f"{name}.safetensors" for name in ("one", "other"))
    weights.save(PatchGAN(PatchGAN.Config(width=4)), one, SPEC)
    weights.save(other, another, SPEC)
    with pytest.raises(ModelError, match=r"other\.safetensors: another network than that of .*one\.safetensors"):
        weights.mean([one, another])
