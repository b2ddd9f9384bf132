"""How ``derain-base`` is trained: photographs, and the same behind glass on which drops are simulated.

    imgen train deraining --data DIR... --out runs/derain

Any folders of photographs will do. The network is the small one, which two processor cores can train: one part learns
where the drops are, the other to paint what they hide; of half of the squares it is told where they are (teacher
forcing), for by maps that are still poor it learns to leave drops alone. It minimises the error at three scales, and
its logarithm, so that what is clean has to stay as it is; not that alone, whose gradient is the smaller, the larger the
error, so that drops are not learnt that hide everything. Squares miss what the eye sees first, a pale disc on a plain
wall: so an error counts by how much of it shows, too, and what lets nothing through is to be filled from around it.

    imgen train deraining-refine --data DIR... --out runs/refined --start runs/derain

goes on and tells nothing. In between each part can learn alone, which takes half the time a step: ``deraining-find``,
then ``deraining-paint``, each begun with ``--start``. The built-in model's card names data, time and figures.

    imgen train deraining-gan --data DIR... --out runs/derain-gan --start runs/derain

goes on with features and an adversary, and

    imgen train deraining-paper --data DIR... --out runs/derain-paper

is Qian et al. 2018, arXiv:1711.10098, in full, at its sizes: both are for a GPU. The features are those of the first
two blocks of VGG-16, as in the authors' code, but HED's.

    imgen train deraining --pairs DIRTY CLEAN --out runs/mine --start runs/derain

learns from photographs of one's own in place of simulated drops, of whatever lies on glass.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Self

import cv2
import numpy as np
import torch
from torch import Tensor

from imgen.data.degrade import camera
from imgen.data.drops import drops
from imgen.data.glass import Glass, Pixels, log_uniform
from imgen.data.pairs import Pair, Pairs
from imgen.data.photos import Photos
from imgen.engines.attentive_gan import AttentiveGAN, AttentiveGANConfig, Views
from imgen.engines.engine import Engine
from imgen.losses.matching import Extractor
from imgen.networks.attentive_discriminator import AttentiveDiscriminator
from imgen.networks.network import Network
from imgen.networks.raindrops import PAPER, RaindropRemover
from imgen.networks.vgg import HedVGG16
from imgen.spec import Spec
from imgen.training import checkpoint
from imgen.training.config import TrainConfig
from imgen_apps.recipes.recipe import Recipe, check_size, generator_of, unit

LONG_SIDE = 1024
"""Pixels that photographs are kept in."""
REDUCTION = (0.86, 4.0)
"""By how much squares are made smaller: drops are to be known at any distance."""
VIEWS = (400, 780)
"""Short sides, in pixels, of the views that squares are parts of, which the sizes of drops follow: some are larger."""
HIDDEN = (0.4, 0.8)
"""Shares of a place's light that come from drops: up to the first its looks decide, from the second on it is a drop."""
TINT = 0.15
"""How much brightness and colour of photographs vary: levels v become v^p, and each adds this deviation to log p."""
DULL = 0.4
"""Share of the glass whose drops are hardly brighter than the scene, and the harder to find."""
COLD = 0.25
"""How much bluer the light of drops is than that of the scene, at most: of published pairs .1 to .15."""


@dataclass(frozen=True)
class DerainingRecipe(Recipe):
    """A generator, its adversary, what it minimises, and how the glass is."""

    losses: AttentiveGANConfig
    network: RaindropRemover.Config = field(default_factory=RaindropRemover.Config)
    critic: AttentiveDiscriminator.Config = field(default_factory=AttentiveDiscriminator.Config)
    features: bool = False  # VGG-16's, of losses with a perceptual part
    sharp: float = 0.5  # share of the glass that is about in focus: its drops are the harder to find
    soaked: float = 0.3  # share of the other glass whose drops run into each other, as a veil over much of the view
    clear: float = 0.2  # share of the squares without drops: they must stay as they are
    pairs: tuple[str, str] | None = None  # folders of dirty and of clean photographs, in place of simulated drops
    side: int = 160  # of the squares, around which enough is to be seen
    batch: int = 9

    USE: ClassVar[str] = "imgen derain photo.png --model"

    def with_batch(self, batch: int) -> Self:
        """Any number."""
        return replace(self, batch=batch)

    def with_size(self, size: int) -> Self:
        """Squares of another size; what photographs are smaller than is made larger."""
        multiple = RaindropRemover(self.network).multiple
        check_size(size, multiple, multiple)
        return replace(self, side=size)

    def with_pairs(self, dirty: Path, clean: Path) -> Self:
        """Any dirt."""
        return replace(self, pairs=(str(dirty), str(clean)))

    def source(self, data: Sequence[Path]) -> "RandomGlass | RandomPairs":
        """Squares behind glass with drops on it, and without; or squares of the pairs."""
        if self.pairs is not None:
            dirty, clean = map(Path, self.pairs)
            return RandomPairs(Pairs(dirty, clean, LONG_SIDE), self)
        return RandomGlass(Photos(data, LONG_SIDE), self)

    def engine(self, device: str) -> AttentiveGAN:
        """See the class."""
        critic = AttentiveDiscriminator(self.critic) if self.losses.adversarial else None
        extractor: Extractor | None = HedVGG16.pretrained(blocks=2).to(device) if self.features else None
        return AttentiveGAN(RaindropRemover(self.network), critic, extractor, self.losses)

    def begin(self, engine: Engine, start: Path) -> None:
        """The generator."""
        theirs = generator_of(start)
        checkpoint.check_fit(engine.product.state_dict(), theirs, start)
        engine.product.load_state_dict(theirs)

    @torch.no_grad()
    def picture(self, engine: Engine, batch: Views) -> Tensor:
        """Rows of what was seen, the attention, the result and the truth, side by side."""
        from torchvision.utils import make_grid

        dirty, clean = batch.dirty[:6].to(engine.device), batch.clean[:6].to(engine.device)
        made, attention = engine.product(dirty)
        rows = torch.stack([dirty, attention.expand_as(dirty), made, clean], 1).flatten(0, 1)
        return make_grid(rows.clamp(0, 1), nrow=8)

    def spec(self, network: Network) -> Spec:
        """Of the generator."""
        assert isinstance(network, RaindropRemover)
        multiple, radius = network.multiple, network.radius
        return Spec(
            "derain-mine",
            "derain",
            "unknown",
            outputs=("result", "attention"),
            multiple=multiple,
            receptive_field="finite",
            radius=radius,
        )


class RandomGlass:
    """Batches of squares with and without drops; batch ``index`` is a pure function of seed and index."""

    def __init__(self, photos: Photos, recipe: DerainingRecipe) -> None:
        self.photos, self.recipe = photos, recipe

    def batch(self, index: int) -> Views:
        """Images N x 3 x S x S in 0..1, where drops change or hide them, and what they cover, N x 1 x S x S."""
        recipe = self.recipe
        rng = np.random.default_rng((recipe.train.seed, index))
        scenes = [_tinted(rng, *self.photos.scene(rng, recipe.side, REDUCTION)) for _ in range(recipe.batch)]
        panes = [self._glass(rng, clean, around) for clean, around in scenes]
        views = _views([_taken(rng, glass.image, clean) for glass, (clean, _) in zip(panes, scenes, strict=True)])
        covered = torch.from_numpy(np.stack([glass.mask for glass in panes]))[:, None]
        low, high = HIDDEN
        mask = torch.maximum(views.mask, ((covered - low) / (high - low)).clamp(0, 1))
        return views._replace(mask=mask, covered=covered)

    def _glass(self, rng: np.random.Generator, clean: Pixels, around: Pixels) -> Glass:
        recipe = self.recipe
        if rng.random() < recipe.clear:
            return Glass(clean, np.zeros(clean.shape[:2], np.float32))
        view = log_uniform(rng, *VIEWS)
        sharp, soaked = recipe.sharp, recipe.soaked
        return drops(clean, rng, view=view, sharp=sharp, soaked=soaked, around=around, cold=COLD, dull=DULL)


class RandomPairs:
    """Batches of squares of photographed pairs; batch ``index`` is a pure function of seed and index."""

    def __init__(self, pairs: Pairs, recipe: DerainingRecipe) -> None:
        self.pairs, self.recipe = pairs, recipe

    def batch(self, index: int) -> Views:
        """Images N x 3 x S x S in 0..1 and where they differ, N x 1 x S x S."""
        recipe = self.recipe
        rng = np.random.default_rng((recipe.train.seed, index))
        return _views([self.pairs.crop(rng, recipe.side, REDUCTION) for _ in range(recipe.batch)])


def _tinted(rng: np.random.Generator, *images: Pixels) -> tuple[Pixels, ...]:
    """By another light, all alike: what drops hide has the colour of what is around, not that of most photographs."""
    power = np.exp(TINT * (rng.standard_normal() + rng.standard_normal(3)))
    table = np.rint(255 * (np.arange(256)[None, :, None] / 255) ** power).astype(np.uint8)
    return tuple(np.asarray(cv2.LUT(image, table), np.uint8) for image in images)


def _taken(rng: np.random.Generator, dirty: Pixels, clean: Pixels) -> Pair:
    """By one camera: its noise lies on the drops, too, which would be known by its absence."""
    seed = rng.integers(2**63)
    return Pair(*(camera(image, np.random.default_rng(seed)) for image in (dirty, clean)))


def _views(pairs: Sequence[Pair]) -> Views:
    dirty, clean = zip(*pairs, strict=True)
    mask = torch.from_numpy(np.stack([pair.mask() for pair in pairs]))[:, None]
    # Whose the light is nobody knows: where nothing is covered no fill is taught.
    return Views(unit(dirty), unit(clean), mask, torch.zeros_like(mask))


_ALONE = AttentiveGANConfig(image=4.0, logarithm=0.01, visible=0.02, opaque=0.1, perceptual=0.0, adversarial=0.0)
_FURTHER = TrainConfig(steps=6000, warm_up=100, decay=0.5, ema=0.998, clip=1.0)
_WITH_ADVERSARY = TrainConfig(steps=60_000, warm_up=100, decay=0.5, ema=0.998, clip=10.0)

RECIPES: dict[str, DerainingRecipe] = {
    "deraining": DerainingRecipe(
        TrainConfig(steps=9000, warm_up=100, decay=0.5, ema=0.998, clip=1.0),
        replace(_ALONE, forced=0.5, learning_rate=4e-4),  # from random weights 1e-3 ran away
    ),
    "deraining-refine": DerainingRecipe(_FURTHER, replace(_ALONE, learning_rate=5e-4)),
    "deraining-find": DerainingRecipe(_FURTHER, replace(_ALONE, part="attend", learning_rate=6e-4)),
    "deraining-paint": DerainingRecipe(_FURTHER, replace(_ALONE, part="paint", learning_rate=6e-4)),
    "deraining-gan": DerainingRecipe(
        _WITH_ADVERSARY, AttentiveGANConfig(), critic=AttentiveDiscriminator.Config(squares=4), features=True
    ),
    "deraining-paper": DerainingRecipe(_WITH_ADVERSARY, AttentiveGANConfig(), PAPER, features=True, side=256, batch=1),
}
