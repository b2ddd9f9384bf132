"""How ``inpaint-base`` is trained: ``imgen train inpainting --data DIR...``.

Any folders of photographs will do. Random squares at random scales, random holes (strokes, boxes,
object-like shapes); first small squares, where a step is cheap, then larger ones, whose holes need a
longer reach. The built-in model's card, imgen/models/inpaint-base.md, names the data, the time and
the figures to expect.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from imgen import weights
from imgen.data.masks import mixed
from imgen.data.photos import Photos
from imgen.engines.inpainting import Holes, InpaintingConfig, InpaintingGAN
from imgen.errors import UsageError
from imgen.networks.efficientnet import EfficientNetLite0
from imgen.networks.inpainter import Inpainter
from imgen.networks.patchgan import PatchGAN
from imgen.spec import Spec
from imgen.training.config import TrainConfig
from imgen.training.loop import Trainer


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result, apart from the photographs."""

    train: TrainConfig = field(default_factory=TrainConfig)
    losses: InpaintingConfig = field(default_factory=InpaintingConfig)
    network: Inpainter.Config = field(default_factory=Inpainter.Config)
    critic: PatchGAN.Config = field(default_factory=lambda: PatchGAN.Config(channels=4, width=48))
    # (share of the steps after which it begins, side of the squares, batch): about the same cost a step
    stages: tuple[tuple[float, int, int], ...] = ((0.0, 128, 8), (0.75, 256, 2))
    batch_factor: int = 1  # on every stage's batch: a GPU is idle at 1


class RandomHoles:
    """Batches of random crops with random holes; batch ``index`` is a pure function of seed and index."""

    def __init__(self, photos: Photos, recipe: Recipe) -> None:
        self.photos, self.recipe = photos, recipe

    def batch(self, index: int) -> Holes:
        """Images N x 3 x S x S in 0..1 and masks N x 1 x S x S, 1 = fill."""
        progress = index / self.recipe.train.steps
        _, size, count = max(stage for stage in self.recipe.stages if stage[0] <= progress)
        rng = np.random.default_rng((self.recipe.train.seed, index))
        count *= self.recipe.batch_factor
        images = np.stack([self.photos.crop(rng, size) for _ in range(count)])
        masks = np.stack([mixed(rng, size, size) for _ in range(count)])
        return Holes(torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255, torch.from_numpy(masks)[:, None])


def trainer(data: Sequence[Path], folder: Path, recipe: Recipe, device: str = "cpu") -> Trainer:
    """The whole of it, ready to ``run()`` or ``resume()``."""
    torch.manual_seed(recipe.train.seed)
    source = RandomHoles(Photos(data), recipe)
    extractor = EfficientNetLite0.pretrained().to(device)
    engine = InpaintingGAN(Inpainter(recipe.network), PatchGAN(recipe.critic), extractor, recipe.losses)
    shown = source.batch(0)
    return Trainer(
        engine,
        source,
        recipe.train,
        folder,
        device=device,
        picture=lambda net, step: _show(net, shown, folder, step),
    )


def finish(trained: Trainer, path: Path, spec: Spec) -> None:
    """Write the averaged generator as a model file."""
    network = trained.average.network
    if not isinstance(network, Inpainter):
        raise UsageError(f"an inpainting run trains an Inpainter, this one trained a {type(network).__name__}")
    weights.save(network, path, spec)


@torch.no_grad()
def _show(network: nn.Module, holes: Holes, folder: Path, step: int) -> None:
    """Rows of input, result and truth, side by side."""
    from torchvision.utils import save_image

    device = next(network.parameters()).device
    image, mask = holes.image.to(device), holes.mask.to(device)
    result: Tensor = network(image, mask)
    rows = torch.stack([image * (1 - mask) + mask, result, image], 1).flatten(0, 1)
    save_image(rows.clamp(0, 1), folder / f"step-{step:06d}.png", nrow=6)
