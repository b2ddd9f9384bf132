"""Small networks that say what is to be seen, trained on real photographs, on EfficientNet-Lite0's frozen features."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.networks.efficientnet import EfficientNetLite0, EfficientNetLite0Classifier

Pixels = NDArray[np.uint8]  # H x W x 3, RGB

_CHANNELS = (144, 240, 480)  # of the features at strides 4, 8 and 16
_WIDTH = 64
_BATCH = 4


class Segmenter(nn.Module):
    """The class of every pixel: features of three sizes, added up at a quarter of the image's.

    Args:
        classes: how many there are.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.trunk = EfficientNetLite0.pretrained()
        self.branches = nn.ModuleList(nn.Conv2d(channels, _WIDTH, 1) for channels in _CHANNELS)
        self.head = nn.Sequential(
            nn.ReLU(), nn.Conv2d(_WIDTH, _WIDTH, 3, 1, 1), nn.ReLU(), nn.Conv2d(_WIDTH, classes, 1)
        )

    def forward(self, image: Tensor) -> Tensor:
        """N x 3 x H x W in 0..1 to N x classes x H x W logits."""
        _, *features = self.trunk(image)
        size = features[0].shape[2:]
        parts = [branch(each) for branch, each in zip(self.branches, features, strict=True)]
        whole = torch.stack([F.interpolate(part, size, mode="bilinear") for part in parts]).sum(0)
        return F.interpolate(self.head(whole), image.shape[2:], mode="bilinear")

    def learn(self, photos: Sequence[Pixels], labels: Sequence[Pixels], void: int, epochs: int, seed: int = 0) -> None:
        """From photographs and the class of each pixel, H x W; pixels of class ``void`` do not count."""
        torch.manual_seed(seed)
        rng, steps = np.random.default_rng(seed), epochs * len(photos) // _BATCH
        optimizer = torch.optim.Adam([*self.branches.parameters(), *self.head.parameters()], 2e-3)
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, steps)
        for _ in range(steps):
            numbers, step = rng.integers(len(photos), size=_BATCH), 1 - 2 * int(rng.integers(2))
            image = tensor([photos[number][:, ::step] for number in numbers])
            label = torch.from_numpy(np.stack([labels[number][:, ::step] for number in numbers]).astype(np.int64))
            optimizer.zero_grad()
            F.cross_entropy(self(image), label, ignore_index=void).backward()
            optimizer.step()
            schedule.step()

    @torch.inference_mode()
    def see(self, photo: Pixels) -> Pixels:
        """The class of each pixel, H x W."""
        return self(tensor([photo])).argmax(1)[0].numpy().astype(np.uint8)


class Chooser:
    """Which of two kinds of photograph one is of: logistic regression on features of the whole image."""

    def __init__(self) -> None:
        self.trunk = EfficientNetLite0Classifier.pretrained()
        self.line = nn.Linear(1280, 1)

    def learn(self, first: Sequence[Pixels], second: Sequence[Pixels], decay: float = 1e-2) -> None:
        """From photographs of both kinds, each of which counts by half whatever its number."""
        x = torch.cat([self._features(first), self._features(second)])
        y = torch.cat([torch.zeros(len(first)), torch.ones(len(second))])
        weight = torch.cat([torch.full((len(each),), 0.5 / len(each)) for each in (first, second)])
        self.mean, self.deviation = x.mean(0), x.std(0) + 1e-3
        x = (x - self.mean) / self.deviation
        optimizer = torch.optim.LBFGS(self.line.parameters(), max_iter=200, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            optimizer.zero_grad()
            wrong = F.binary_cross_entropy_with_logits(self.line(x)[:, 0], y, weight, reduction="sum")
            total = wrong + decay * self.line.weight.square().sum()
            total.backward()
            return total

        optimizer.step(loss)

    @torch.inference_mode()
    def is_second(self, photos: Sequence[Pixels]) -> NDArray[np.bool_]:
        """For each photograph, whether it is of the second kind."""
        x = (self._features(photos) - self.mean) / self.deviation
        return (self.line(x)[:, 0] > 0).numpy()

    @torch.no_grad()
    def _features(self, photos: Sequence[Pixels]) -> Tensor:
        return torch.cat([self.trunk(tensor([photo]))[0] for photo in photos])


def tensor(photos: Sequence[Pixels]) -> Tensor:
    """N x 3 x H x W in 0..1."""
    return torch.from_numpy(np.ascontiguousarray(np.stack(photos).transpose(0, 3, 1, 2))).float() / 255


def confusion(truth: Pixels, seen: Pixels, classes: int) -> NDArray[np.int64]:
    """How many pixels of each class, by row, were seen as each class, by column; others than these do not count."""
    counted = truth < classes
    pairs = truth[counted].astype(np.int64) * (classes + 1) + np.minimum(seen[counted], classes)
    return np.bincount(pairs, minlength=classes * (classes + 1)).reshape(classes, classes + 1)


def scores(table: NDArray[np.int64]) -> dict[str, float]:
    """Pixel accuracy, mean class accuracy and mean intersection over union, of the classes that there are."""
    right, truth, seen = table.diagonal(), table.sum(1), table[:, : len(table)].sum(0)
    there = truth > 0
    return {
        "pixel accuracy": float(right.sum() / truth.sum()),
        "class accuracy": float((right[there] / truth[there]).mean()),
        "class IoU": float((right[there] / (truth + seen - right)[there]).mean()),
    }
