"""How ``inpaint-base`` is trained, in two runs.

    imgen train inpainting --data DIR... --out runs/base
    imgen train inpainting-refine --data DIR... --out runs/refined --start runs/base

Any folders of photographs will do. Random squares at random scales, random holes (strokes, boxes,
object-like shapes); first small squares, where a step is cheap, then larger ones, whose holes need a
longer reach. The second run learns from LPIPS, which is slow but sees texture, in squares in which the
copied patches have something to copy. The
built-in model's card, imgen/models/inpaint-base.md, names the data, the time and the figures to expect.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from imgen.data.masks import mixed
from imgen.data.photos import Photos
from imgen.engines.engine import Engine
from imgen.engines.inpainting import Distance, Holes, InpaintingConfig, InpaintingGAN
from imgen.errors import UsageError
from imgen.losses.matching import normalised_l2
from imgen.networks.efficientnet import EfficientNetLite0
from imgen.networks.inpainter import Inpainter
from imgen.networks.lpips import LPIPS
from imgen.networks.network import Network
from imgen.networks.patchgan import PatchGAN
from imgen.spec import Spec
from imgen.training import checkpoint
from imgen.training.config import TrainConfig
from imgen_apps.recipes.recipe import GENERATOR, Recipe, generator_of, unit


@dataclass(frozen=True)
class InpaintingRecipe(Recipe):
    """A generator, its adversary, what it minimises, and squares that grow."""

    train: TrainConfig = field(
        default_factory=lambda: TrainConfig(steps=100_000, warm_up=200, decay=0.25, ema=0.998, clip=10.0)
    )
    losses: InpaintingConfig = field(default_factory=InpaintingConfig)
    network: Inpainter.Config = field(default_factory=Inpainter.Config)
    critic: PatchGAN.Config = field(default_factory=lambda: PatchGAN.Config(channels=4, width=48))
    # (share of the steps after which it begins, side of the squares, batch): about the same cost a step
    stages: tuple[tuple[float, int, int], ...] = ((0.0, 128, 8), (0.75, 256, 2))
    batch_factor: int = 1  # on every stage's batch: a GPU is idle at 1
    distance: str = "efficientnet-lite0"  # a name in DISTANCES

    USE: ClassVar[str] = "imgen inpaint photo.png --mask mask.png --model"

    def with_batch(self, batch: int) -> Self:
        """A multiple of the first stage's; the others grow with it."""
        smallest = self.stages[0][2]
        if batch % smallest:
            raise UsageError(f"batch is {batch}; inpainting needs a multiple of {smallest}, such as {8 * smallest}")
        return replace(self, batch_factor=batch // smallest)

    def source(self, data: Sequence[Path]) -> "RandomHoles":
        """Squares with holes."""
        return RandomHoles(Photos(data), self)

    def engine(self, device: str) -> InpaintingGAN:
        """See the class."""
        distance = DISTANCES[self.distance](device)
        return InpaintingGAN(Inpainter(self.network), PatchGAN(self.critic), distance, self.losses)

    def begin(self, engine: Engine, start: Path) -> None:
        """Of a run both networks, of a model file the generator."""
        state = {GENERATOR + name: value for name, value in generator_of(start).items()}
        mine = engine.state_dict()
        state = {**(checkpoint.load(start)["networks"] if start.is_dir() else mine), **state}
        checkpoint.check_fit(mine, state, start)
        engine.load_state_dict(state)

    @torch.no_grad()
    def picture(self, engine: Engine, batch: Holes) -> Tensor:
        """Rows of input, result and truth, side by side."""
        from torchvision.utils import make_grid

        image, mask = batch.image.to(engine.device), batch.mask.to(engine.device)
        result: Tensor = engine.product(image, mask)
        rows = torch.stack([image * (1 - mask) + mask, result, image], 1).flatten(0, 1)
        return make_grid(rows.clamp(0, 1), nrow=6)

    def spec(self, network: Network) -> Spec:  # noqa: ARG002 (its numbers are those of all inpainters)
        """Of the generator."""
        return Spec("inpaint-mine", "inpaint", "unknown", inputs=Inpainter.INPUTS, multiple=Inpainter.MULTIPLE)


def _light(device: str) -> Distance:
    features = EfficientNetLite0.pretrained().to(device)
    return lambda image, target: normalised_l2(features(image), features(target))


def _lpips(device: str) -> Distance:
    lpips = LPIPS.pretrained().to(device)
    return lambda image, target: lpips(image, target).mean()


DISTANCES: dict[str, Callable[[str], Distance]] = {"efficientnet-lite0": _light, "lpips": _lpips}


class RandomHoles:
    """Batches of random crops with random holes; batch ``index`` is a pure function of seed and index."""

    def __init__(self, photos: Photos, recipe: InpaintingRecipe) -> None:
        self.photos, self.recipe = photos, recipe

    def batch(self, index: int) -> Holes:
        """Images N x 3 x S x S in 0..1 and masks N x 1 x S x S, 1 = fill."""
        progress = index / self.recipe.train.steps
        _, size, count = max(stage for stage in self.recipe.stages if stage[0] <= progress)
        rng = np.random.default_rng((self.recipe.train.seed, index))
        count *= self.recipe.batch_factor
        images = [self.photos.crop(rng, size) for _ in range(count)]
        masks = np.stack([mixed(rng, size, size) for _ in range(count)])
        return Holes(unit(images), torch.from_numpy(masks)[:, None])


RECIPES: dict[str, InpaintingRecipe] = {
    "inpainting": InpaintingRecipe(),
    "inpainting-refine": InpaintingRecipe(
        train=TrainConfig(steps=5600, warm_up=50, decay=0.6, ema=0.997, clip=10.0),
        losses=InpaintingConfig(pixel=15.0, perceptual=6.0, adversarial=0.3, matching=3.0, adversary_from=0),
        stages=((0.0, 192, 2), (0.5, 256, 1)),
        distance="lpips",
    ),
}
