"""Images made some time ago, so that a discriminator does not forget what it has learnt to tell apart.

Reference: Shrivastava et al. 2017, "Learning from Simulated and Unsupervised Images through Adversarial
Training", arXiv:1612.07828, sec. 2.3, as Zhu et al. 2017, arXiv:1703.10593, sec. 4, have it.
"""

from typing import Any

import torch
from torch import Tensor, nn


class Pool(nn.Module):
    """Keeps so many images; they are part of the state, and the choice comes from torch's global generator."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.images: list[Tensor] = []

    def swap(self, images: Tensor) -> Tensor:
        """Images, N x C x H x W, for as many: while the pool fills up the same, then half of them older ones.

        An older image is any of the pool's, and gives its place to the new one.
        """
        return torch.stack([self._swap(image.detach()) for image in images])

    def _swap(self, image: Tensor) -> Tensor:
        if len(self.images) < self.size:
            self.images.append(image.clone())
            return image
        if not self.size or torch.rand(()) < 0.5:
            return image
        place = int(torch.randint(self.size, ()))
        older, self.images[place] = self.images[place], image.clone()
        return older.to(image)

    def get_extra_state(self) -> dict[str, Any]:
        """The images."""
        return {"images": self.images}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """The images, as ``get_extra_state`` gave them; a list of its own, which it will change."""
        self.images = list(state["images"])
