"""A discriminator, or a classifier, that sees by the features of a network trained on ImageNet.

Reference: Sauer et al. 2021, "Projected GANs Converge Faster", arXiv:2111.01007: where what is real and what is made
are compared in features that know what things look like, few images and short trainings go much further. Differs: each
of the four features is projected by one learnt layer and averaged over 4 x 4 parts of the image, all are judged
together, and nothing is mixed across scales.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.networks.efficientnet import EfficientNetLite0
from imgen.networks.network import Network, Scored

PARTS = 4
"""Of the image, each way, over which features are averaged."""
CHANNELS = (32, 144, 240, 480)  # of EfficientNet-Lite0's features


class Sight:
    """EfficientNet-Lite0's frozen features, for several networks that look at the same images: they are found once."""

    def __init__(self, trunk: EfficientNetLite0) -> None:
        self.trunk = trunk
        self.seen: tuple[Tensor | None, bool] = None, False  # the images, and whether gradients were wanted
        self.features: list[Tensor] = []

    def __call__(self, image: Tensor) -> list[Tensor]:
        """Of N x 3 x S x S images in -1..1, by full precision: for its thin convolutions half of it is slower."""
        wanted = torch.is_grad_enabled()
        if self.seen[0] is not image or self.seen[1] != wanted:
            self.trunk.to(image.device)
            with torch.autocast(image.device.type, enabled=False):
                self.seen, self.features = (image, wanted), self.trunk((image.float() + 1) / 2)
        return self.features


class ProjectedDiscriminator(Network):
    """N x 3 x S x S images in -1..1 to N x outputs logits and what they come from, N x 4*width x 4 x 4."""

    @dataclass(frozen=True)
    class Config:
        """Sizes."""

        width: int = 64  # channels that each of the four features is projected to
        outputs: int = 1

    def __init__(self, config: Config, sight: Sight) -> None:
        super().__init__()
        self.config = config
        self.sight = sight  # no module, so no part of this network's state
        self.project = nn.ModuleList(nn.Conv2d(channels, config.width, 1) for channels in CHANNELS)
        self.score = nn.Conv2d(config.width * len(CHANNELS), config.outputs, PARTS)
        for layer in self.project:
            assert isinstance(layer, nn.Conv2d)
            nn.init.kaiming_normal_(layer.weight, 0.2)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Scored:
        """Image to logits and features; labels are not looked at."""
        del label
        found = zip(self.project, self.sight(image), strict=True)
        parts = [F.adaptive_avg_pool2d(F.leaky_relu(project(features), 0.2), PARTS) for project, features in found]
        seen = torch.cat(parts, 1)
        return Scored(self.score(seen).flatten(1), [seen])
