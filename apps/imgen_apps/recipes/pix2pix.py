"""How translations are trained from pairs: pix2pix, and of the built-in models ``labels2street`` and ``edges2photo``.

    imgen train pix2pix --data DIR --out runs/mine
    imgen train pix2pix --data A --data B --direction BtoA --out runs/mine

is Isola et al. 2017, arXiv:1611.07004, at its sizes: for a GPU, and 200 epochs of 400 images. DIR holds the folders
trainA and trainB, or images of both, side by side. With ``--labels`` the inputs are label maps: how many classes they
have, or a file that names their colours.

    imgen train labels2street --data LABELS --data PHOTOS --out runs/labels2street
    imgen train edges2photo --data PHOTOS... --out runs/edges2photo

are small enough for two processor cores. The first has the classes of CamVid; the second draws the lines itself, and
any folders of photographs will do. The built-in models' cards name data, time and figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from imgen.data.aligned import Aligned, Layer, read_halves, read_photo
from imgen.data.label_maps import Palette, read_labels
from imgen.data.layouts import find_images, find_pairs
from imgen.data.outlines import outlines
from imgen.engines.engine import Engine
from imgen.engines.pix2pix import Pix2Pix, Pix2PixConfig, Translation
from imgen.networks.network import Network
from imgen.networks.patchgan import PIX2PIX, PatchGAN
from imgen.networks.unet import DROPPED, UNet
from imgen.spec import Spec
from imgen.training.config import TrainConfig
from imgen_apps.recipes.recipe import unit
from imgen_apps.recipes.translation import (
    TranslationRecipe,
    check_direction,
    painted,
    photo_alone,
    planes,
    rows,
    smallest,
)

CAMVID = Palette(
    ("sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "person", "cyclist", "unknown"),
    (
        *((128, 128, 128), (128, 0, 0), (192, 192, 128), (128, 64, 128), (0, 0, 192), (128, 128, 0)),
        *((192, 128, 128), (64, 64, 128), (64, 0, 128), (64, 64, 0), (0, 128, 192), (0, 0, 0)),
    ),
)
"""The classes of Brostow et al. 2009's data set as Badrinarayanan et al. 2017, arXiv:1511.00561, group them."""


@dataclass(frozen=True)
class Pix2PixRecipe(TranslationRecipe):
    """A generator, a judge that sees input and output, and what the inputs are."""

    losses: Pix2PixConfig = field(default_factory=Pix2PixConfig)
    network: UNet.Config = field(default_factory=UNet.Config)
    critic: PatchGAN.Config = PIX2PIX  # but for the channels, which follow from the inputs
    palette: Palette | None = None  # of label maps; None: the inputs are images

    @property
    def multiple(self) -> int:
        """By the fewest halvings that the generator can have."""
        return 1 << (DROPPED + 1)

    @property
    def smallest(self) -> int:
        """By the judge."""
        return smallest(self.critic)

    def with_size(self, size: int) -> Self:
        """With fewer halvings where the size cannot be halved as often."""
        halvings = (size & -size).bit_length() - 1
        return replace(super().with_size(size), network=replace(self.network, depth=min(self.network.depth, halvings)))

    def engine(self, device: str) -> Pix2Pix:
        """See the class; the judge sees what goes in and what comes out."""
        del device
        critic = replace(self.critic, channels=self.network.inputs + self.network.outputs)
        return Pix2Pix(UNet(self.network), PatchGAN(critic) if self.losses.adversarial else None, self.losses)

    @torch.no_grad()
    def picture(self, engine: Engine, batch: Translation) -> Tensor:
        """Rows of input, result and truth."""
        shown = painted(batch.input, self.palette) if self.palette else batch.input
        return rows(shown, engine.product(batch.input.to(engine.device)), batch.target)

    def spec(self, network: Network) -> Spec:
        """Of the generator."""
        assert isinstance(network, UNet)
        noise = {"channels": network.noise_channels, "stride": network.noise_stride, "dropout": self.network.dropout}
        return Spec(
            "pix2pix-mine",
            "translate",
            "unknown",
            inputs=("labels" if self.palette else "image", *(["noise"] if self.network.dropout else [])),
            multiple=network.multiple,
            size=self.size,
            palette=self.palette.lines() if self.palette else (),
            noise=noise if self.network.dropout else {},
        )


@dataclass(frozen=True)
class PairsRecipe(Pix2PixRecipe):
    """From images or label maps of one domain to those of another."""

    direction: str = "AtoB"

    def with_direction(self, direction: str) -> Self:
        """What of a pair is the input."""
        return replace(self, direction=check_direction(direction))

    def with_labels(self, labels: str) -> Self:
        """Label maps of these classes as inputs."""
        palette = Palette.parse(labels)
        return replace(self, palette=palette, network=replace(self.network, inputs=len(palette)))

    def source(self, data: Sequence[Path]) -> "RandomTranslations":
        """Squares of pairs."""
        return RandomTranslations(Aligned(find_pairs(data), self._decode, self.resize), self)

    def _decode(self, files: tuple[Path, ...]) -> tuple[Layer, ...]:
        """Input and target of a pair, in the recipe's direction."""
        path, target = files if self.direction == "AtoB" else files[::-1]
        if path != target:
            return (read_labels(path, self.palette) if self.palette else read_photo(path)), read_photo(target)
        left, right = read_halves(path) if self.direction == "AtoB" else read_halves(path)[::-1]
        return (self.palette.numbers(left, str(path)) if self.palette else left), right


class RandomTranslations:
    """Batches of squares of pairs; batch ``index`` is a pure function of seed and index."""

    def __init__(self, pairs: Aligned, recipe: Pix2PixRecipe) -> None:
        self.pairs, self.recipe = pairs, recipe

    def batch(self, index: int) -> Translation:
        """Inputs, N x 3 x S x S or N x classes x S x S, and targets, N x 3 x S x S, in 0..1."""
        recipe = self.recipe
        squares = recipe.squares(self.pairs, index, np.random.default_rng((recipe.train.seed, index)))
        inputs, targets = zip(*squares, strict=True)
        return Translation(planes(inputs, recipe.palette) if recipe.palette else unit(inputs), unit(targets))


@dataclass(frozen=True)
class DrawingsRecipe(Pix2PixRecipe):
    """Photographs from line drawings of them."""

    def source(self, data: Sequence[Path]) -> "RandomDrawings":
        """Squares of photographs, drawn."""
        return RandomDrawings(Aligned([(path,) for path in find_images(data)], photo_alone, self.resize), self)


class RandomDrawings:
    """Batches of squares of photographs and drawings of them; batch ``index`` is a pure function of seed and index."""

    def __init__(self, photos: Aligned, recipe: DrawingsRecipe) -> None:
        self.photos, self.recipe = photos, recipe

    def batch(self, index: int) -> Translation:
        """Images N x 3 x S x S in 0..1."""
        rng = np.random.default_rng((self.recipe.train.seed, index))
        photos = [photo for (photo,) in self.recipe.squares(self.photos, index, rng)]
        return Translation(unit([outlines(photo, rng) for photo in photos]), unit(photos))


_SMALL = UNet.Config(width=20, depth=5, dropout=0.0)
_JUDGE = replace(PIX2PIX, width=32)

RECIPES: dict[str, Pix2PixRecipe] = {
    "pix2pix": PairsRecipe(TrainConfig(steps=80_000, decay=0.5, ema=0.0, save_every=5000)),
    "labels2street": PairsRecipe(
        TrainConfig(steps=20_000, warm_up=100, decay=0.5, ema=0.998),
        network=replace(_SMALL, inputs=len(CAMVID)),
        critic=_JUDGE,
        palette=CAMVID,
        size=128,
        resize=192,
    ),
    "edges2photo": DrawingsRecipe(
        TrainConfig(steps=15_000, warm_up=100, decay=0.5, ema=0.998),
        network=replace(_SMALL, width=16),
        critic=_JUDGE,
        size=128,
        resize=143,
        batch=2,
    ),
}
