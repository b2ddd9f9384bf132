"""How ``inpaint-base`` is trained, in two runs.

    imgen train inpainting --data DIR... --out runs/base
    imgen train inpainting-refine --data DIR... --out runs/refined --start runs/base

Any folders of photographs will do. Random squares at random scales, random holes (strokes, boxes,
object-like shapes); first small squares, where a step is cheap, then larger ones, whose holes need a
longer reach. The second run, shorter, adds the features of VGG-16, which are slow but see texture, and
squares in which the copied patches have something to copy. The
built-in model's card, imgen/models/inpaint-base.md, names the data, the time and the figures to expect.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from imgen import weights
from imgen.data.masks import mixed
from imgen.data.photos import Photos
from imgen.engines.engine import Engine
from imgen.engines.inpainting import Extractor, Holes, InpaintingConfig, InpaintingGAN
from imgen.errors import UsageError
from imgen.networks.efficientnet import EfficientNetLite0
from imgen.networks.inpainter import Inpainter
from imgen.networks.patchgan import PatchGAN
from imgen.networks.vgg import HedVGG16
from imgen.spec import Spec
from imgen.training import checkpoint
from imgen.training.config import TrainConfig
from imgen.training.loop import Trainer


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result, apart from the photographs."""

    train: TrainConfig = field(
        default_factory=lambda: TrainConfig(steps=100_000, warm_up=200, decay=0.25, ema=0.998, clip=10.0)
    )
    losses: InpaintingConfig = field(default_factory=InpaintingConfig)
    network: Inpainter.Config = field(default_factory=Inpainter.Config)
    critic: PatchGAN.Config = field(default_factory=lambda: PatchGAN.Config(channels=4, width=48))
    # (share of the steps after which it begins, side of the squares, batch): about the same cost a step
    stages: tuple[tuple[float, int, int], ...] = ((0.0, 128, 8), (0.75, 256, 2))
    batch_factor: int = 1  # on every stage's batch: a GPU is idle at 1
    features: str = "efficientnet-lite0"  # a name in FEATURES


RECIPES: dict[str, Recipe] = {
    "inpainting": Recipe(),
    "inpainting-refine": Recipe(
        train=TrainConfig(steps=2750, warm_up=50, decay=0.6, ema=0.997, clip=10.0),
        losses=InpaintingConfig(perceptual=2.0, adversarial=1.0, matching=10.0, adversary_from=0),
        stages=((0.0, 192, 2),),
        features="with-vgg16",
    ),
}


def _with_vgg16(device: str) -> Extractor:
    light, vgg = _light(device), HedVGG16.pretrained(blocks=4).to(device)
    return lambda image: [*vgg(image), *light(image)]


def _light(device: str) -> Extractor:
    return EfficientNetLite0.pretrained().to(device)


FEATURES: dict[str, Callable[[str], Extractor]] = {"efficientnet-lite0": _light, "with-vgg16": _with_vgg16}


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


def trainer(
    data: Sequence[Path], folder: Path, recipe: Recipe, device: str = "cpu", start: Path | None = None
) -> Trainer:
    """The whole of it, ready to ``run()`` or ``resume()``.

    Args:
        data: folders of photographs.
        folder: of the run.
        recipe: what to do.
        device: as torch names it.
        start: what to begin with: the folder of another run, for its averaged generator and its
            discriminator, or a model file, for its generator alone.

    Raises:
        ImgenError: no photographs, or a start that is missing or of another network.
    """
    torch.manual_seed(recipe.train.seed)
    source = RandomHoles(Photos(data), recipe)
    extractor = FEATURES[recipe.features](device)
    engine = InpaintingGAN(Inpainter(recipe.network), PatchGAN(recipe.critic), extractor, recipe.losses)
    if start is not None and start.is_dir():
        state = checkpoint.load(start)
        averages = {key: value for key, value in state["average"].items() if key.startswith("generator.")}
        engine.load_state_dict({**state["networks"], **averages})
    elif start is not None:
        engine.generator.load_state_dict(_generator(start, recipe).state_dict())
    shown = source.batch(0)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(asdict(recipe), indent=2) + "\n")
    return Trainer(engine, source, recipe.train, folder, device=device, picture=lambda average: _show(average, shown))


def _generator(path: Path, recipe: Recipe) -> Inpainter:
    network = weights.load(path)
    if not isinstance(network, Inpainter) or network.config != recipe.network:
        raise UsageError(f"{path} holds another network than this recipe trains; begin with one of the recipe's own")
    return network


def finish(trained: Trainer, path: Path, spec: Spec) -> None:
    """Write the averaged generator as a model file."""
    network = trained.average.engine.product
    if not isinstance(network, Inpainter):
        raise UsageError(f"an inpainting run trains an Inpainter, this one trained a {type(network).__name__}")
    weights.save(network, path, spec)


@torch.no_grad()
def _show(engine: Engine, holes: Holes) -> Tensor:
    """Rows of input, result and truth, side by side."""
    from torchvision.utils import make_grid

    image, mask = holes.image.to(engine.device), holes.mask.to(engine.device)
    result: Tensor = engine.product(image, mask)
    rows = torch.stack([image * (1 - mask) + mask, result, image], 1).flatten(0, 1)
    return make_grid(rows.clamp(0, 1), nrow=6)
