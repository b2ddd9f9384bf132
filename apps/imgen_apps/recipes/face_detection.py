"""How ``face-detector`` is trained: aligned faces pasted into photographs that show none.

    imgen train face-detection --data FACES --data PHOTOS... --out runs/faces

The first folder holds faces, each a square as ``imgen.image.face`` describes it, of any number of people; the others
hold photographs of anything but people. The built-in model's card names data, time and figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from imgen.data.face_scenes import FaceScenes
from imgen.data.photos import Photos
from imgen.engines.engine import Engine
from imgen.engines.face_detection import FaceBatch, FaceDetection, FaceDetectionConfig
from imgen.errors import UsageError
from imgen.image.face import SIDE
from imgen.networks.face_detector import FaceDetector
from imgen.networks.network import Network
from imgen.spec import Spec
from imgen.training import checkpoint
from imgen.training.config import TrainConfig
from imgen_apps.recipes.recipe import Recipe, generator_of, unit

LONG_SIDE = 1024
"""Pixels that photographs are kept in."""
MOST = 4
"""Faces in a scene."""


@dataclass(frozen=True)
class FaceDetectionRecipe(Recipe):
    """A network, what it minimises, and how large the scenes are."""

    losses: FaceDetectionConfig = field(default_factory=FaceDetectionConfig)
    network: FaceDetector.Config = field(default_factory=FaceDetector.Config)
    side: int = 128
    batch: int = 24

    USE: ClassVar[str] = "imgen face edit photo.png --set smile=1 --detector"

    def with_batch(self, batch: int) -> Self:
        """Any number."""
        return replace(self, batch=batch)

    def source(self, data: Sequence[Path]) -> "RandomScenes":
        """Scenes with the faces of the first folder before the photographs of the others."""
        if len(data) < 2:
            raise UsageError("finding faces is learnt from two folders; give --data FACES --data PHOTOS")
        return RandomScenes(FaceScenes(Photos(data[:1], SIDE), Photos(data[1:], LONG_SIDE)), self)

    def engine(self, device: str) -> FaceDetection:  # noqa: ARG002 (it has nothing that is made for a device)
        """See the class."""
        return FaceDetection(FaceDetector(self.network), self.losses)

    def begin(self, engine: Engine, start: Path) -> None:
        """The network."""
        theirs = generator_of(start, "network.")
        checkpoint.check_fit(engine.product.state_dict(), theirs, start)
        engine.product.load_state_dict(theirs)

    @torch.no_grad()
    def picture(self, engine: Engine, batch: FaceBatch) -> Tensor:
        """Scenes beside the map of scores that they have."""
        from torchvision.utils import make_grid

        image = batch.image[:16].to(engine.device)
        score, _ = engine.product(image)
        seen = torch.nn.functional.interpolate(score, image.shape[2:]).expand_as(image)
        return make_grid(torch.stack([image, seen], 1).flatten(0, 1), nrow=8)

    def spec(self, network: Network) -> Spec:
        """Of the detector."""
        assert isinstance(network, FaceDetector)
        return Spec(
            "face-detector-mine",
            "detect-face",
            "unknown",
            outputs=("score", "pose"),
            multiple=network.multiple,
            size=640,
            receptive_field="finite",
            radius=network.radius,
        )


class RandomScenes:
    """Batches of scenes; batch ``index`` is a pure function of seed and index."""

    def __init__(self, scenes: FaceScenes, recipe: FaceDetectionRecipe) -> None:
        self.scenes, self.recipe = scenes, recipe

    def batch(self, index: int) -> FaceBatch:
        """Images N x 3 x S x S in 0..1 and their faces, N x 4 x 5."""
        recipe = self.recipe
        rng = np.random.default_rng((recipe.train.seed, index))
        drawn = [self.scenes.draw(rng, recipe.side) for _ in range(recipe.batch)]
        faces = np.zeros((recipe.batch, MOST, 5), np.float32)
        for row, scene in zip(faces, drawn, strict=True):
            row[: len(scene.faces)] = scene.faces
        return FaceBatch(unit([scene.image for scene in drawn]), torch.from_numpy(faces))


RECIPES: dict[str, FaceDetectionRecipe] = {
    "face-detection": FaceDetectionRecipe(TrainConfig(steps=4000, warm_up=100, decay=0.4, ema=0.998, clip=10.0)),
}
"""Name to recipe."""
