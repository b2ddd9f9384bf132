import pytest
import torch
from torch import Tensor, nn

from imgen.networks.receptive_field import radius_of


def row(*kernels: int, dilation: int = 1) -> nn.Sequential:
    layers = [nn.Conv2d(3, 3, k, padding=dilation * (k // 2), dilation=dilation) for k in kernels]
    return nn.Sequential(*(part for layer in layers for part in (layer, nn.ReLU())))


class Squeeze(nn.Module):
    """Weighs the image by its own mean."""

    def forward(self, image: Tensor) -> Tensor:
        return image * image.mean((2, 3), keepdim=True)


class Gate(nn.Module):
    """Weighs the image by a gate on its mean, which larger weights would saturate."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.001))

    def forward(self, image: Tensor) -> Tensor:
        return image * torch.sigmoid(1000 * self.weight * image.mean((2, 3), keepdim=True))


class Windows(nn.Module):
    """Gives each 4 x 4 block its mean: never farther than 3 pixels, but not the same everywhere."""

    def forward(self, image: Tensor) -> Tensor:
        small = nn.functional.avg_pool2d(image, 4, ceil_mode=True)
        return nn.functional.interpolate(small, scale_factor=4)[..., : image.shape[2], : image.shape[3]]


class Ramp(nn.Module):
    """Adds what depends on where a pixel is."""

    def forward(self, image: Tensor) -> Tensor:
        return image + torch.arange(image.shape[3])


@pytest.mark.parametrize(
    ("network", "radius"),
    [
        (row(1), 0),
        (row(3, 3, 5), 4),
        (row(3, 3, dilation=4), 8),
        (nn.Sequential(row(*(9 * [3])), nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2)), 10),
        (nn.Conv2d(3, 3, (1, 7), padding=(0, 3)), 3),
        (nn.Conv2d(3, 3, (7, 1), padding=(3, 0)), 3),
        (row(*(12 * [3])), 12),
        (row(*(13 * [3])), None),  # beyond the limit of the test
        (nn.Sequential(row(3), nn.InstanceNorm2d(3)), None),
        (nn.Sequential(row(3), Squeeze()), None),
        (nn.Sequential(row(3), Gate()), None),
        (Windows(), None),
        (Ramp(), None),
        (nn.Linear(5, 5), None),  # takes no images
    ],
)
def test_radius(network: nn.Module, radius: int | None) -> None:
    assert radius_of(network, limit=12) == radius


def test_dead_units_hide_nothing_and_the_network_stays_as_it_is() -> None:
    network = row(3, 3)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(-1)
    assert radius_of(network) == 2
    assert all((parameter == -1).all() and parameter.requires_grad for parameter in network.parameters())
