"""How the built-in upscalers are trained: ``upscale-x2`` to ``-x4``, and from them ``upscale-photo-x2`` and ``-x4``.

    imgen train upscaling-x4 --data DIR... --out runs/x4
    imgen train upscaling-x4-finish --data DIR... --out runs/x4-finish --start runs/x4
    imgen train upscaling-x2 --data DIR... --out runs/x2 --start runs/x4
    imgen train upscaling-photo-x4 --data DIR... --out runs/photo-x4 --start runs/x4 --teacher TEACHER.pth

Any folders of photographs will do. The first kind is faithful: bicubically reduced squares and the mean
absolute difference, at the end the squared one. The second is for photos as they are: blur, noise and JPEG on the
way down. What damage has taken, pixels alone bring back as an average, which is soft; so what it should make
of damaged squares is what a larger network makes of them that was trained with an adversary (the teacher). Begun
from the first kind's weights, the second stays close enough to it for the two to be mixed. The built-in
models' cards name data, time and figures.

    imgen train upscaling-gan-x4 --data DIR... --out runs/gan-x4 --start runs/photo-x4

sharpens without a teacher, by features and an adversary of its own; that takes a GPU.

    imgen train srresnet --data DIR... --out runs/srresnet
    imgen train srgan --data DIR... --out runs/srgan --start runs/srresnet

are the two runs of Ledig et al. 2017, arXiv:1609.04802, in full: for a GPU. Differs: the features are those of the
last convolution of HED's VGG-16 instead of VGG-19.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from imgen import weights
from imgen.data.degrade import bicubic, real_world
from imgen.data.photos import Photos
from imgen.engines.engine import Engine
from imgen.engines.srgan import SRGAN, Pairs, SRGANConfig
from imgen.losses.matching import Extractor
from imgen.networks.network import Network
from imgen.networks.patchgan import PatchGAN
from imgen.networks.srresnet import SRGANDiscriminator, SRResNet
from imgen.networks.upscaler import Upscaler
from imgen.networks.vgg import HedVGG16
from imgen.spec import Spec
from imgen.training import checkpoint
from imgen.training.config import TrainConfig
from imgen_apps.recipes.recipe import Recipe, generator_of, unit

_BY_SCALE = ("leave.", "interpolate.", "rise.")  # before the names of the tensors that only one scale has
_NETWORKS: dict[type, Callable[[Any], Network]] = {
    cls.Config: cls for cls in (Upscaler, SRResNet, PatchGAN, SRGANDiscriminator)
}


@dataclass(frozen=True)
class UpscalingRecipe(Recipe):
    """A generator, its adversary, what it minimises, and what it is shown."""

    losses: SRGANConfig
    network: Upscaler.Config | SRResNet.Config
    critic: PatchGAN.Config | SRGANDiscriminator.Config = field(default_factory=lambda: PatchGAN.Config(width=32))
    features: str = ""  # a name in FEATURES, of losses with a content
    damaged: float = 0.0  # share of the squares that are made smaller as photos in the world; others are bicubically
    teacher: str = ""  # a model file: what it makes of damaged squares is what they should become
    side: int = 32  # of the small squares
    batch: int = 16

    USE: ClassVar[str] = "imgen upscale photo.png --model"

    def with_batch(self, batch: int) -> Self:
        """Any number."""
        return replace(self, batch=batch)

    def with_teacher(self, teacher: Path) -> Self:
        """Of recipes with damaged squares."""
        return replace(self, teacher=str(teacher)) if self.damaged else super().with_teacher(teacher)

    def source(self, data: Sequence[Path]) -> "RandomPairs":
        """Squares, and the same made smaller."""
        return RandomPairs(Photos(data, long_side=2048), self)

    def engine(self, device: str) -> SRGAN:
        """See the class."""
        adversary = self.losses.adversarial or self.losses.matching
        critic = _NETWORKS[type(self.critic)](self.critic) if adversary else None
        extractor = FEATURES[self.features](device) if self.features else None
        return SRGAN(_NETWORKS[type(self.network)](self.network), critic, extractor, self.losses)

    def begin(self, engine: Engine, start: Path) -> None:
        """The generator; of one for another scale all layers but those that are made for it."""
        network, theirs = engine.product, generator_of(start)
        mine = network.state_dict()
        checkpoint.check_fit(_of_any_scale(mine), _of_any_scale(theirs), start)
        fitting = {name: value for name, value in theirs.items() if name in mine and value.shape == mine[name].shape}
        network.load_state_dict({**mine, **fitting})

    @torch.no_grad()
    def picture(self, engine: Engine, batch: Pairs) -> Tensor:
        """Rows of input (enlarged), result and truth, side by side."""
        from torch.nn.functional import interpolate
        from torchvision.utils import make_grid

        low, high = batch.low[:6].to(engine.device), batch.high[:6].to(engine.device)
        blocks = interpolate(low, high.shape[2:], mode="nearest")
        rows = torch.stack([blocks, engine.product(low), high], 1).flatten(0, 1)
        return make_grid(rows.clamp(0, 1), nrow=6)

    def spec(self, network: Network) -> Spec:
        """Of the generator."""
        assert isinstance(network, Upscaler | SRResNet)
        scale, radius = self.network.scale, network.radius
        return Spec("upscale-mine", "upscale", "unknown", scale=scale, receptive_field="finite", radius=radius)


def _of_any_scale(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in state.items() if not name.startswith(_BY_SCALE)}


class RandomPairs:
    """Batches of squares and what they were; batch ``index`` is a pure function of seed and index."""

    def __init__(self, photos: Photos, recipe: UpscalingRecipe) -> None:
        self.photos, self.recipe = photos, recipe
        self.teacher = weights.read(Path(recipe.teacher))[1] if recipe.teacher else None

    def batch(self, index: int) -> Pairs:
        """Small squares N x 3 x S x S and large ones, scale times as large, both in 0..1."""
        recipe, scale = self.recipe, self.recipe.network.scale
        rng = np.random.default_rng((recipe.train.seed, index))
        squares = [self.photos.crop(rng, recipe.side * scale, (1.0, 2.0)) for _ in range(recipe.batch)]
        if rng.random() < 0.5:
            squares = [np.ascontiguousarray(square.swapaxes(0, 1)) for square in squares]
        damaged = rng.random(recipe.batch) < recipe.damaged
        low = [
            real_world(square, scale, rng) if worse else bicubic(square, scale)
            for square, worse in zip(squares, damaged, strict=True)
        ]
        pairs = Pairs(unit(low), unit(squares))
        if self.teacher is not None and damaged.any():
            pairs.high[damaged] = self._taught(pairs.low[damaged])
        return pairs

    @torch.no_grad()
    def _taught(self, low: Tensor) -> Tensor:
        """What the teacher makes of small squares, at the size of the large ones."""
        assert self.teacher is not None
        made: Tensor = self.teacher(low)
        side = self.recipe.side * self.recipe.network.scale
        if made.shape[-1] != side:
            made = F.interpolate(made, (side, side), mode="bicubic", antialias=True, align_corners=False)
        return made.clamp(0, 1)


def _last_block(device: str) -> Extractor:
    vgg = HedVGG16.pretrained().to(device)
    return lambda image: vgg(image)[-1:]


FEATURES: dict[str, Callable[[str], Extractor]] = {
    "vgg16": lambda device: HedVGG16.pretrained(blocks=4).to(device),
    "vgg16-last": _last_block,
}


_L1 = SRGANConfig(pixel=1.0, pixel_loss="l1", content=0.0, adversarial=0.0, learning_rate=1e-3)


def _fidelity(scale: int, steps: int) -> UpscalingRecipe:
    return UpscalingRecipe(
        TrainConfig(steps=steps, warm_up=200, decay=0.6, ema=0.998, clip=1.0),
        _L1,
        Upscaler.Config(scale),
    )


def _photo(scale: int, steps: int) -> UpscalingRecipe:
    return replace(
        _fidelity(scale, steps),
        train=TrainConfig(steps=steps, warm_up=50, decay=0.6, ema=0.995, clip=1.0),
        losses=replace(_L1, learning_rate=5e-4),
        damaged=0.75,
    )


def _gan(scale: int) -> UpscalingRecipe:
    return replace(
        _photo(scale, 50_000),
        train=TrainConfig(steps=50_000, warm_up=50, decay=0.35, ema=0.995, clip=10.0),
        losses=SRGANConfig(10.0, "l1", 2.0, "normalised", adversarial=0.1, matching=1.0, learning_rate=3e-4),
        features="vgg16",
        side=96 // scale,  # so that the features, which are what takes time, see the same number of pixels
        batch=8,
    )


# Sec. 3.2 of the paper, but for the last half of the second run, at a tenth of the rate there: here it falls linearly.
_SRRESNET = UpscalingRecipe(
    TrainConfig(steps=1_000_000, ema=0.0),
    SRGANConfig(pixel=1.0, content=0.0, adversarial=0.0),
    SRResNet.Config(),
    side=24,
)
_SRGAN = replace(
    _SRRESNET,
    train=TrainConfig(steps=200_000, decay=0.5, ema=0.0),
    losses=SRGANConfig(),
    critic=SRGANDiscriminator.Config(96),
    features="vgg16-last",
)

# Larger squares, as what is within 10 pixels of a square's side sees less than it will in use.
_X4 = replace(_fidelity(4, 10_500), side=48, batch=8)

RECIPES: dict[str, UpscalingRecipe] = {
    "upscaling-x2": _fidelity(2, 900),
    "upscaling-x3": _fidelity(3, 700),
    "upscaling-x4": _X4,
    "upscaling-x4-finish": replace(
        _X4,
        train=TrainConfig(steps=800, warm_up=100, decay=0.9, ema=0.998, clip=1.0),
        losses=replace(_L1, pixel=20.0, pixel_loss="l2", learning_rate=6e-4),
    ),
    "upscaling-photo-x2": _photo(2, 600),
    "upscaling-photo-x4": _photo(4, 1000),
    "upscaling-gan-x4": _gan(4),
    "srresnet": _SRRESNET,
    "srgan": _SRGAN,
}
