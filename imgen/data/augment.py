"""Augmentation: the data of a batch changed at random, by a seed of the batch's own."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from imgen.lookup import find

Change = Callable[[Tensor], Tensor]
"""N x C x H x W in 0..1 to the same, drawing from torch's global generator."""


class Augment:
    """Some changes, one after the other, as a pure function of pixels and seed.

    Args:
        changes: keys of ``CHANGES``, or functions of one's own.
        size: side of the images.

    Raises:
        UnknownNameError: no change has that name.
    """

    def __init__(self, changes: Sequence[str | Change], size: int) -> None:
        self.changes = [find(CHANGES, c, "augmentation")(size) if isinstance(c, str) else c for c in changes]

    def __call__(self, pixels: Tensor, seed: Sequence[int]) -> Tensor:
        """N x C x H x W uint8 to the same; torch's generators are left as they were.

        Args:
            pixels: the batch.
            seed: numbers of 0 or more; equal ones give equal changes.
        """
        if not self.changes:
            return pixels
        image = pixels.float() / 255
        with torch.random.fork_rng(devices=[]):
            # Not torch.manual_seed, which would set the generators of all GPUs as well.
            torch.default_generator.manual_seed(int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]))
            for change in self.changes:
                image = change(image)
        return image.clamp(0, 1).mul(255).round().to(torch.uint8)


class _EachImage:
    """One of torchvision's transforms, which change all images of a batch alike, on each image by itself."""

    def __init__(self, transform: Change) -> None:
        self.transform = transform

    def __call__(self, image: Tensor) -> Tensor:
        return torch.stack([self.transform(one) for one in image])


def _flip(_size: int) -> Change:
    from torchvision.transforms.v2 import RandomHorizontalFlip

    return _EachImage(RandomHorizontalFlip())


def _crop(size: int) -> Change:
    from torchvision.transforms.v2 import RandomResizedCrop

    return _EachImage(RandomResizedCrop(size, scale=(0.8, 1), ratio=(0.9, 1.1)))


def _turn(_size: int) -> Change:
    from kornia.augmentation import RandomAffine

    return RandomAffine(10.0, translate=(0.05, 0.05), scale=(0.95, 1.05), padding_mode="reflection", p=1.0)


def _light(_size: int) -> Change:
    from kornia.augmentation import RandomBrightness, RandomContrast
    from torch.nn import Sequential

    return Sequential(RandomBrightness((0.9, 1.1), p=1.0), RandomContrast((0.9, 1.1), p=1.0))


CHANGES: dict[str, Callable[[int], Change]] = {
    "flip": _flip,  # half the images mirrored
    "crop": _crop,  # 80 to 100 % of the area
    "turn": _turn,  # up to 10 degrees, 5 % of the side and 5 % of the size
    "light": _light,  # brightness and contrast by up to 10 %
}
"""Name to a function from the images' side to the change."""
