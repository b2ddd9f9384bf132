from dataclasses import replace
from pathlib import Path

import pytest
import torch

from imgen import weights
from imgen.networks.conditional_autoencoder import ConditionalAutoencoder
from imgen.networks.conv import ConvDecoder, ConvEncoder
from imgen.spec import Spec


def network(channels: int = 3, outputs: int = 10, output: str = "tanh") -> ConditionalAutoencoder:
    torch.manual_seed(0)
    encoder = ConvEncoder(ConvEncoder.Config(8, channels, outputs, width=4, classes=3))
    decoder = ConvDecoder(ConvDecoder.Config(8, channels, code=5, width=4, classes=3, output=output))
    return ConditionalAutoencoder.of(encoder, decoder).eval()


@pytest.mark.parametrize("outputs", [10, 5])  # of a posterior, of a code
def test_the_parts_in_a_row_by_the_mean_of_the_posterior(outputs: int) -> None:
    joined, image, label = network(outputs=outputs), torch.rand(4, 3, 8, 8), torch.arange(4) % 3
    code = joined.encoder(2 * image - 1, label)[:, :5]
    torch.testing.assert_close(joined(image, label), (joined.decoder(code, label) + 1) / 2)


def test_a_class_is_the_weight_1_of_itself_and_there_is_something_between_two() -> None:
    joined, image = network(), torch.rand(1, 3, 8, 8)
    made = [joined(image, label) for label in (torch.tensor([2]), torch.tensor([[0.0, 0, 1]]))]
    assert torch.equal(*made)
    between = joined(image, torch.tensor([[0.5, 0, 0.5]]))
    assert not torch.allclose(between, made[0], atol=1e-4)


def test_what_was_trained_on_grey_sees_and_gives_grey() -> None:
    joined, label = network(channels=1, output="sigmoid"), torch.tensor([1])
    colour = torch.rand(1, 3, 8, 8)
    grey = (0.299 * colour[:, 0] + 0.587 * colour[:, 1] + 0.114 * colour[:, 2])[:, None]
    made = joined(colour, label)
    assert made.shape == colour.shape
    assert torch.equal(made[:, 0], made[:, 2])
    torch.testing.assert_close(made, joined(grey.expand(-1, 3, -1, -1), label))
    code = joined.encoder(2 * grey - 1, label)[:, :5]
    torch.testing.assert_close(made[:, :1], joined.decoder(code, label))


def test_gradients_reach_every_parameter() -> None:
    joined = network(outputs=5).train()
    loss = joined(torch.rand(4, 3, 8, 8), torch.arange(4) % 3).square().sum()
    assert all(bool(grad.any()) for grad in torch.autograd.grad(loss, list(joined.parameters())))


def test_a_file_brings_back_both_networks_and_the_names_of_the_classes(tmp_path: Path) -> None:
    joined, path = network(), tmp_path / "model.safetensors"
    spec = Spec("m", "reconstruct", "CC0-1.0", ("image", "label"), size=8, classes=3, class_names=("a", "b", "c"))
    weights.save(joined, path, spec)
    image, label = torch.rand(2, 3, 8, 8), torch.tensor([0, 2])
    assert torch.equal(weights.load(path)(image, label), joined(image, label))
    found = weights.read_spec(path)
    assert found == replace(spec, network="conditional-autoencoder", config=found.config)
