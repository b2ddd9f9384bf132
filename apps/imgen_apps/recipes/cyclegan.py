"""How translations between two domains without pairs are trained: CycleGAN, and of the built-in models three.

    imgen train cyclegan --data DIR --out runs/mine
    imgen train cyclegan --data A --data B --out runs/mine

with DIR holding the folders trainA and trainB, is Zhu et al. 2017, arXiv:1703.10593, at its sizes: for a GPU, and 200
epochs of about a thousand images. Both ways are learnt: model.safetensors goes from A to B and model-back.safetensors
from B to A (with ``--direction BtoA`` it is the other way round).

    imgen train apple2orange --data APPLES --data ORANGES --out runs/apples
    imgen train apple2orange-refine --data APPLES --data ORANGES --out runs/apple2orange --start runs/apples
    imgen train day2dusk --data DAY --data DUSK --out runs/day2dusk

are small enough for two processor cores. The second goes on with larger fruit, as photographs have it at their own
size. The built-in models' cards name data, time and figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from imgen.data.aligned import Aligned
from imgen.data.layouts import find_domains
from imgen.engines.cyclegan import CycleGAN, CycleGANConfig, Domains
from imgen.engines.engine import Engine
from imgen.networks.network import Network
from imgen.networks.patchgan import PIX2PIX, PatchGAN
from imgen.networks.translation_resnet import TranslationResNet
from imgen.spec import Spec
from imgen.training.config import TrainConfig
from imgen.training.loader import Source
from imgen_apps.recipes.recipe import Models, unit
from imgen_apps.recipes.translation import TranslationRecipe, check_direction, photo_alone, rows, smallest

LARGE = 256
"""Pixels from which on the network has all of its blocks."""


@dataclass(frozen=True)
class CycleGANRecipe(TranslationRecipe):
    """Two generators and two judges of one kind each."""

    losses: CycleGANConfig = field(default_factory=CycleGANConfig)
    network: TranslationResNet.Config = field(default_factory=TranslationResNet.Config)
    critic: PatchGAN.Config = PIX2PIX
    direction: str = "AtoB"

    @property
    def multiple(self) -> int:
        """By the generator's halvings."""
        return 1 << self.network.downs

    @property
    def smallest(self) -> int:
        """By the judges."""
        return smallest(self.critic)

    def with_size(self, size: int) -> Self:
        """With 6 blocks at most where squares are small (sec. 7.2)."""
        blocks = self.network.blocks if size >= LARGE else min(self.network.blocks, 6)
        return replace(super().with_size(size), network=replace(self.network, blocks=blocks))

    def with_direction(self, direction: str) -> Self:
        """Which of the two ways is the model."""
        return replace(self, direction=check_direction(direction))

    def source(self, data: Sequence[Path]) -> "RandomDomains":
        """Squares of both domains, which have nothing to do with each other."""
        domains = [Aligned([(path,) for path in paths], photo_alone, self.resize) for paths in find_domains(data)]
        return RandomDomains(domains[::-1] if self.direction == "BtoA" else domains, self)

    def engine(self, device: str) -> CycleGAN:
        """See the class."""
        del device
        generators = TranslationResNet(self.network), TranslationResNet(self.network)
        return CycleGAN(*generators, PatchGAN(self.critic), PatchGAN(self.critic), self.losses)

    def begin(self, engine: Engine, start: Path) -> None:
        """As the others, with empty pools: those of a run hold what it made, which may have had another size."""
        super().begin(engine, start)
        assert isinstance(engine, CycleGAN)
        for pool in (engine.pool_x, engine.pool_y):
            pool.images = []

    def models(self, engine: Engine, source: Source) -> Models:  # noqa: ARG002 (of any data)
        """Both ways."""
        assert isinstance(engine, CycleGAN)
        networks = {"model": engine.x_to_y, "model-back": engine.y_to_x}
        return {name: (network, self.spec(network)) for name, network in networks.items()}

    @torch.no_grad()
    def picture(self, engine: Engine, batch: Domains) -> Tensor:
        """Rows of an image, it translated, and that translated back; of both domains."""
        assert isinstance(engine, CycleGAN)
        x, y = batch.x.to(engine.device), batch.y.to(engine.device)
        there, back = engine.x_to_y(x), engine.y_to_x(y)
        return rows(x, there, engine.y_to_x(there), y, back, engine.x_to_y(back))

    def spec(self, network: Network) -> Spec:
        """Of one of the generators."""
        assert isinstance(network, TranslationResNet)
        return Spec(
            "cyclegan-mine",
            "translate",
            "unknown",
            multiple=network.multiple,
            size=self.size,
            receptive_field="normalised",
            radius=network.radius,
        )


class RandomDomains:
    """Batches of squares of two domains; batch ``index`` is a pure function of seed and index."""

    def __init__(self, domains: Sequence[Aligned], recipe: CycleGANRecipe) -> None:
        self.domains, self.recipe = domains, recipe

    def batch(self, index: int) -> Domains:
        """Images N x 3 x S x S in 0..1: the first domain epoch by epoch, the other one at random beside it."""
        recipe, (first, second) = self.recipe, self.domains
        rng = np.random.default_rng((recipe.train.seed, index))
        x = recipe.squares(first, index, rng)
        y = [second.crop(int(rng.integers(len(second))), rng, recipe.size) for _ in x]
        return Domains(*(unit([image for (image,) in squares]) for squares in (x, y)))


_IDENTITY = CycleGANConfig(identity=0.1)  # at the usual .5 an orange is too much like some apples to be changed

_SMALL = CycleGANRecipe(
    TrainConfig(steps=3500, warm_up=100, decay=0.5, ema=0.998),
    network=TranslationResNet.Config(width=16, blocks=4),
    critic=replace(PIX2PIX, width=32),
    size=128,
    resize=143,
)

RECIPES: dict[str, CycleGANRecipe] = {
    "cyclegan": CycleGANRecipe(TrainConfig(steps=200_000, decay=0.5, ema=0.0, save_every=5000)),
    "apple2orange": replace(_SMALL, train=replace(_SMALL.train, steps=10_000), losses=_IDENTITY, size=96, resize=107),
    "apple2orange-refine": replace(
        _SMALL, train=replace(_SMALL.train, steps=4000), losses=_IDENTITY, size=112, resize=176
    ),
    # Patches of 16 pixels: larger ones see that the few dusks all lie in a street lined with trees, and plant some.
    "day2dusk": replace(_SMALL, critic=replace(_SMALL.critic, depth=1)),
}
