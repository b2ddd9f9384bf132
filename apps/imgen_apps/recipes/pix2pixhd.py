"""How photographs are made from label maps at high resolution: pix2pixHD, in two runs, and the small built-in one.

    imgen train pix2pixhd --data DIR --out runs/coarse
    imgen train pix2pixhd-fine --data DIR --out runs/fine --start runs/coarse

is Wang et al. 2018, arXiv:1711.11585, with the sizes and classes of Cityscapes: for a GPU, and 200 and 100 epochs of
about three thousand images. DIR holds the folders train_label, train_img and, if there are instance maps, train_inst;
without them a class is one instance. ``--labels`` says other classes. Differs: squares as high as the images
instead of whole ones, and the features are those of HED's VGG-16 instead of VGG-19.

    imgen train labels2street-hd --data LABELS --data PHOTOS --out runs/labels2street-hd

is small enough for two processor cores; the built-in model's card names data, time and figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from imgen.data.aligned import Aligned, Files, Layer, read_photo
from imgen.data.label_maps import Palette, boundaries, read_instances, read_labels
from imgen.data.layouts import find_scenes
from imgen.engines.engine import Engine
from imgen.engines.pix2pixhd import Pix2PixHD, Pix2PixHDConfig, Scenes
from imgen.losses.matching import Extractor
from imgen.networks.network import Network
from imgen.networks.pix2pixhd import LocalEnhancer, MultiscaleDiscriminator
from imgen.networks.translation_resnet import TranslationResNet
from imgen.networks.vgg import HedVGG16
from imgen.spec import Spec
from imgen.training import checkpoint
from imgen.training.config import TrainConfig
from imgen.training.loader import Source
from imgen_apps.recipes.pix2pix import CAMVID
from imgen_apps.recipes.recipe import Models, generator_of, unit
from imgen_apps.recipes.translation import TranslationRecipe, painted, planes, rows, smallest

STYLED = 200
"""Squares in which the styles of a model are found."""
ENCODER = "encoder."
"""Before the names of the encoder's tensors in an engine's state."""

_LEVELS = 58  # the deviation of photographs in 0..255, as HED's VGG-16 sees them; the paper's sees them at about 1


@dataclass(frozen=True)
class Pix2PixHDRecipe(TranslationRecipe):
    """A generator, judges at several scales, an encoder of styles, and the classes.

    The channels that the generator and the judges take follow from the classes and the encoder.
    """

    losses: Pix2PixHDConfig = field(default_factory=Pix2PixHDConfig)
    network: TranslationResNet.Config | LocalEnhancer.Config = field(
        default_factory=lambda: TranslationResNet.Config(downs=4)
    )
    critic: MultiscaleDiscriminator.Config = field(default_factory=MultiscaleDiscriminator.Config)
    encoder: TranslationResNet.Config = field(
        default_factory=lambda: TranslationResNet.Config(outputs=3, width=16, blocks=0, downs=4)  # sec. 3.4
    )
    palette: Palette = field(default_factory=lambda: Palette.numbered(35))
    size: int = 512
    resize: int = 512

    @property
    def multiple(self) -> int:
        """By the halvings of the generator and of the encoder."""
        config = self.network
        halvings = config.downs if isinstance(config, TranslationResNet.Config) else config.coarse_downs + 1
        return 1 << max(halvings, self.encoder.downs)

    @property
    def smallest(self) -> int:
        """By the judge of the coarsest scale."""
        return smallest(self.critic)

    def with_labels(self, labels: str) -> Self:
        """Other classes."""
        return replace(self, palette=Palette.parse(labels))

    def source(self, data: Sequence[Path]) -> "RandomScenes":
        """Squares of label maps, photographs and instances."""
        return RandomScenes(Aligned(find_scenes(data), self._decode, self.resize), self)

    def engine(self, device: str) -> Pix2PixHD:
        """See the class; the judges see classes, boundaries and the photograph."""
        known = len(self.palette) + 1
        inputs = known + self.encoder.outputs
        generator: Network = (
            TranslationResNet(replace(self.network, inputs=inputs))
            if isinstance(self.network, TranslationResNet.Config)
            else LocalEnhancer(replace(self.network, inputs=inputs))
        )
        critic = MultiscaleDiscriminator(replace(self.critic, channels=known + 3))
        extractor = _vgg16(device) if self.losses.perceptual else None
        return Pix2PixHD(generator, critic, TranslationResNet(self.encoder), extractor, self.losses)

    def begin(self, engine: Engine, start: Path) -> None:
        """As the others; or, of the run or model file for half the size, the coarse generator and the encoder."""
        assert isinstance(engine, Pix2PixHD)
        theirs = generator_of(start)
        if not isinstance(engine.generator, LocalEnhancer) or any(name.startswith("coarse.") for name in theirs):
            super().begin(engine, start)
            return
        parts: list[tuple[Network, dict[str, Tensor]]] = [(engine.generator.coarse, theirs)]
        if start.is_dir() and engine.encoder is not None:
            state = checkpoint.load(start)["average"]
            found = {name.removeprefix(ENCODER): value for name, value in state.items() if name.startswith(ENCODER)}
            parts.append((engine.encoder, found))
        for network, tensors in parts:
            checkpoint.check_fit(network.state_dict(), tensors, start)
            network.load_state_dict(tensors)

    def models(self, engine: Engine, source: Source) -> Models:
        """The generator, with styles to choose from."""
        assert isinstance(engine, Pix2PixHD)
        batches = (source.batch(index) for index in range(-(-STYLED // self.batch)))
        styles = engine.styles(Scenes(*(part.to(engine.device) for part in batch)) for batch in batches)
        spec = replace(self.spec(engine.generator), styles=tuple(each.tolist() for each in styles))
        return {"model": (engine.generator, spec)}

    @torch.no_grad()
    def picture(self, engine: Engine, batch: Scenes) -> Tensor:
        """Rows of label map, result in the photograph's style, and photograph."""
        assert isinstance(engine, Pix2PixHD)
        made = engine.generator(engine.condition(Scenes(*(part.to(engine.device) for part in batch))))
        return rows(painted(batch.labels, self.palette), made, batch.photo)

    def spec(self, network: Network) -> Spec:
        """Of the generator, without styles."""
        assert isinstance(network, TranslationResNet | LocalEnhancer)
        return Spec(
            "pix2pixhd-mine",
            "translate",
            "unknown",
            inputs=("labels",),
            multiple=network.multiple,
            size=self.size,
            receptive_field="normalised",
            radius=network.radius,
            palette=self.palette.lines(),
            boundaries=True,
        )

    def _decode(self, files: Files) -> tuple[Layer, ...]:
        """Class numbers, photograph and instance numbers; without instance maps a class is an instance."""
        labels = read_labels(files[0], self.palette)
        return labels, read_photo(files[1]), read_instances(files[2]) if len(files) > 2 else labels


class RandomScenes:
    """Batches of squares of scenes; batch ``index`` is a pure function of seed and index."""

    def __init__(self, scenes: Aligned, recipe: Pix2PixHDRecipe) -> None:
        self.scenes, self.recipe = scenes, recipe

    def batch(self, index: int) -> Scenes:
        """See ``Scenes``."""
        recipe = self.recipe
        squares = recipe.squares(self.scenes, index, np.random.default_rng((recipe.train.seed, index)))
        labels, photos, instances = zip(*squares, strict=True)
        edges = np.stack([boundaries(each) for each in instances])
        things = np.stack(instances).astype(np.int64)
        return Scenes(
            planes(labels, recipe.palette),
            torch.from_numpy(edges)[:, None],
            torch.from_numpy(things)[:, None],
            unit(photos),
        )


def _vgg16(device: str) -> Extractor:
    """Features of all five blocks, as of images with the paper's deviation."""
    vgg = HedVGG16.pretrained().to(device)
    return lambda image: [features / _LEVELS for features in vgg(image)]


_COARSE = Pix2PixHDRecipe(TrainConfig(steps=595_000, decay=0.5, ema=0.0, save_every=5000))

RECIPES: dict[str, Pix2PixHDRecipe] = {
    "pix2pixhd": _COARSE,
    "pix2pixhd-fine": replace(
        _COARSE,
        train=replace(_COARSE.train, steps=297_500),
        losses=Pix2PixHDConfig(held_steps=29_750),
        network=LocalEnhancer.Config(inputs=0),
        size=1024,
        resize=1024,
    ),
    "labels2street-hd": Pix2PixHDRecipe(
        TrainConfig(steps=9000, warm_up=100, decay=0.5, ema=0.998),
        losses=Pix2PixHDConfig(perceptual=0.0),
        network=TranslationResNet.Config(width=16, blocks=3, downs=3),
        critic=MultiscaleDiscriminator.Config(width=24, scales=2),
        encoder=TranslationResNet.Config(outputs=3, width=8, blocks=0, downs=3),
        palette=CAMVID,
        size=128,
        resize=192,
    ),
}
