"""How the built-in upscalers are trained: ``upscale-x2`` to ``-x4``, and from them ``upscale-photo-x2`` and ``-x4``.

    imgen train upscaling-x4 --data DIR... --out runs/x4
    imgen train upscaling-x2 --data DIR... --out runs/x2 --start runs/x4
    imgen train upscaling-photo-x4 --data DIR... --out runs/photo-x4 --start runs/x4

Any folders of photographs will do. The first kind is faithful: bicubically reduced squares, and the mean
absolute difference. The second is for photos as they are: blur, noise and JPEG on the way down, and features
and an adversary to sharpen what comes back. Begun from the first kind's weights, it stays close enough to it for
the two to be mixed. The built-in models' cards name data, time and figures.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from imgen import weights
from imgen.data.degrade import bicubic, real_world
from imgen.data.photos import Photos
from imgen.engines.engine import Engine
from imgen.engines.srgan import SRGAN, Extractor, Pairs, SRGANConfig
from imgen.errors import UsageError
from imgen.networks.network import Network
from imgen.networks.patchgan import PatchGAN
from imgen.networks.upscaler import Upscaler
from imgen.networks.vgg import HedVGG16
from imgen.spec import Spec
from imgen.training import checkpoint
from imgen.training.config import TrainConfig
from imgen.training.loop import Trainer


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result, apart from the photographs."""

    network: Upscaler.Config
    train: TrainConfig
    losses: SRGANConfig
    real_world: bool = False
    side: int = 32  # of the small squares
    batch: int = 16
    features: str = ""  # a name in FEATURES
    critic: PatchGAN.Config = field(default_factory=lambda: PatchGAN.Config(width=32))


def _fidelity(scale: int, steps: int) -> Recipe:
    return Recipe(
        Upscaler.Config(scale),
        TrainConfig(steps=steps, warm_up=200, decay=0.5, ema=0.998, clip=1.0),
        SRGANConfig(pixel=1.0, pixel_loss="l1", content=0.0, adversarial=0.0, learning_rate=1e-3),
    )


def _photo(scale: int, steps: int) -> Recipe:
    return Recipe(
        Upscaler.Config(scale),
        TrainConfig(steps=steps, warm_up=50, decay=0.5, ema=0.995, clip=10.0),
        SRGANConfig(
            pixel=10.0,
            pixel_loss="l1",
            content=2.0,
            distance="normalised",
            adversarial=0.05,
            matching=1.0,
            learning_rate=3e-4,
        ),
        real_world=True,
        batch=6,
        features="vgg16",
    )


RECIPES: dict[str, Recipe] = {
    "upscaling-x2": _fidelity(2, 3000),
    "upscaling-x3": _fidelity(3, 3000),
    "upscaling-x4": _fidelity(4, 12_000),
    "upscaling-photo-x2": _photo(2, 1000),
    "upscaling-photo-x4": _photo(4, 2000),
}

FEATURES: dict[str, Callable[[str], Extractor]] = {
    "vgg16": lambda device: HedVGG16.pretrained(blocks=4).to(device),
}


class RandomPairs:
    """Batches of squares and what they were; batch ``index`` is a pure function of seed and index."""

    def __init__(self, photos: Photos, recipe: Recipe) -> None:
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


def trainer(
    data: Sequence[Path], folder: Path, recipe: Recipe, device: str = "cpu", start: Path | None = None
) -> Trainer:
    """The whole of it, ready to ``run()`` or ``resume()``.

    Args:
        data: folders of photographs.
        folder: of the run.
        recipe: what to do.
        device: as torch names it.
        start: what to begin with: the folder of another run or a model file. Of one of another scale,
            everything but the last layer is taken.

    Raises:
        ImgenError: no photographs, or a start that is missing or of another network.
    """
    torch.manual_seed(recipe.train.seed)
    source = RandomPairs(Photos(data, long_side=2048), recipe)
    network = Upscaler(recipe.network)
    if start is not None:
        _begin(network, start)
    losses = recipe.losses
    critic = PatchGAN(recipe.critic) if losses.adversarial or losses.matching else None
    extractor = FEATURES[recipe.features](device) if recipe.features else None
    engine = SRGAN(network, critic, extractor, losses)
    shown = source.batch(0)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(asdict(recipe), indent=2) + "\n")
    return Trainer(engine, source, recipe.train, folder, device=device, picture=lambda average: _show(average, shown))


def finish(trained: Trainer, path: Path, spec: Spec) -> None:
    """Write the averaged network as a model file."""
    network = trained.average.engine.product
    if not isinstance(network, Upscaler):
        raise UsageError(f"an upscaling run trains an Upscaler, this one trained a {type(network).__name__}")
    weights.save(network, path, spec)


def _begin(network: Upscaler, start: Path) -> None:
    """Take over the weights of another run or model."""
    if start.is_dir():
        other: Network = Upscaler(_config_of(start))
        state, prefix = checkpoint.load(start)["average"], "generator."
        other.load_state_dict({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})
    else:
        other = weights.load(start)
    mine, theirs = network.config, other.config
    if not isinstance(other, Upscaler) or (mine.width, mine.depth) != (theirs.width, theirs.depth):
        raise UsageError(f"{start} holds another network than this recipe trains; begin with one of the recipes' own")
    same = mine.scale == theirs.scale
    kept = {k: v for k, v in other.state_dict().items() if same or not k.startswith(("leave.", "interpolate."))}
    network.load_state_dict(kept, strict=False)


def _config_of(run: Path) -> Upscaler.Config:
    try:
        return Upscaler.Config(**json.loads((run / "config.json").read_text())["network"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{run} is not the folder of a run of an upscaling recipe ({error})") from error


@torch.no_grad()
def _show(engine: Engine, pairs: Pairs) -> Tensor:
    """Rows of input (enlarged), result and truth, side by side."""
    from torch.nn.functional import interpolate
    from torchvision.utils import make_grid

    low, high = pairs.low[:6].to(engine.device), pairs.high[:6].to(engine.device)
    blocks = interpolate(low, high.shape[2:], mode="nearest")
    rows = torch.stack([blocks, engine.product(low), high], 1).flatten(0, 1)
    return make_grid(rows.clamp(0, 1), nrow=6)
