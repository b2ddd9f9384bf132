"""How the built-in upscalers are trained: ``upscale-x2`` to ``-x4``, and from them ``upscale-photo-x2`` and ``-x4``.

    imgen train upscaling-x4 --data DIR... --out runs/x4
    imgen train upscaling-x2 --data DIR... --out runs/x2 --start runs/x4
    imgen train upscaling-photo-x4 --data DIR... --out runs/photo-x4 --start runs/x4

Any folders of photographs will do. The first kind is faithful: bicubically reduced squares, and the mean
absolute difference. The second is for photos as they are: blur, noise and JPEG on the way down, and features
and an adversary to sharpen what comes back. Begun from the first kind's weights, it stays close enough to it for
the two to be mixed. The built-in models' cards name data, time and figures.

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

from imgen.data.degrade import bicubic, real_world
from imgen.data.photos import Photos
from imgen.engines.engine import Engine
from imgen.engines.srgan import SRGAN, Extractor, Pairs, SRGANConfig
from imgen.networks.network import Network
from imgen.networks.patchgan import PatchGAN
from imgen.networks.srresnet import SRGANDiscriminator, SRResNet
from imgen.networks.upscaler import Upscaler
from imgen.networks.vgg import HedVGG16
from imgen.spec import Spec
from imgen.training import checkpoint
from imgen.training.config import TrainConfig
from imgen_apps.recipes.recipe import Recipe, generator_of

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
    real_world: bool = False  # as photos are made smaller in the world, otherwise bicubically
    side: int = 32  # of the small squares
    batch: int = 16

    USE: ClassVar[str] = "imgen upscale photo.png"

    def with_batch(self, batch: int) -> Self:
        """Any number."""
        return replace(self, batch=batch)

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

    def batch(self, index: int) -> Pairs:
        """Small squares N x 3 x S x S and large ones, scale times as large, both in 0..1."""
        recipe, scale = self.recipe, self.recipe.network.scale
        rng = np.random.default_rng((recipe.train.seed, index))
        high = [self.photos.crop(rng, recipe.side * scale, (1.0, 2.0)) for _ in range(recipe.batch)]
        if rng.random() < 0.5:
            high = [np.ascontiguousarray(square.swapaxes(0, 1)) for square in high]
        low = [real_world(square, scale, rng) if recipe.real_world else bicubic(square, scale) for square in high]
        return Pairs(_unit(low), _unit(high))


def _unit(squares: Sequence[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).float() / 255


def _last_block(device: str) -> Extractor:
    vgg = HedVGG16.pretrained().to(device)
    return lambda image: vgg(image)[-1:]


FEATURES: dict[str, Callable[[str], Extractor]] = {
    "vgg16": lambda device: HedVGG16.pretrained(blocks=4).to(device),
    "vgg16-last": _last_block,
}


def _fidelity(scale: int, steps: int) -> UpscalingRecipe:
    return UpscalingRecipe(
        TrainConfig(steps=steps, warm_up=200, decay=0.6, ema=0.998, clip=1.0),
        SRGANConfig(pixel=1.0, pixel_loss="l1", content=0.0, adversarial=0.0, learning_rate=1e-3),
        Upscaler.Config(scale),
    )


def _photo(scale: int, steps: int, pixel_steps: int) -> UpscalingRecipe:
    return UpscalingRecipe(
        TrainConfig(steps=steps, warm_up=50, decay=0.35, ema=0.995, clip=10.0),
        SRGANConfig(
            pixel=10.0,
            pixel_loss="l1",
            content=2.0,
            distance="normalised",
            adversarial=0.1,
            matching=1.0,
            pixel_steps=pixel_steps,
            learning_rate=3e-4,
        ),
        Upscaler.Config(scale),
        features="vgg16",
        real_world=True,
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

RECIPES: dict[str, UpscalingRecipe] = {
    "upscaling-x2": _fidelity(2, 900),
    "upscaling-x3": _fidelity(3, 900),
    "upscaling-x4": _fidelity(4, 4500),
    "upscaling-photo-x2": _photo(2, 2000, 1200),
    "upscaling-photo-x4": _photo(4, 3500, 2500),
    "srresnet": _SRRESNET,
    "srgan": _SRGAN,
}
