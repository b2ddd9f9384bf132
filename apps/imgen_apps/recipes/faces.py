"""How ``face-base`` is trained: a network that knows faces apart, and IP-GAN upon it.

    imgen train face-identity --data PEOPLE --data MORE --teacher EMBEDDING.onnx --out runs/identity
    imgen train faces --data PEOPLE --data MORE --start runs/identity --out runs/faces

PEOPLE holds a folder of aligned faces for each person (see docs/faces.md); further folders hold faces of whoever it
is. The teacher, an embedding network of others, tells the first run how alike any two faces are; without one it learns
from the people alone. One person in twelve is not learnt from, but shows from which score on two faces are one person.
An ``index.csv`` in PEOPLE (file, identity, and 0 or 1 in a column for each attribute) gives directions to edit along.

    imgen train ip-gan --data PEOPLE --data MORE --out runs/mine

is Bao et al. 2018, arXiv:1803.11182, with all five networks learning at once: for a GPU and many people.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from imgen.data.batch import Batch, signed
from imgen.data.folder import ImageFolder
from imgen.engines.engine import Engine, to_unit
from imgen.engines.ip_gan import IPGAN
from imgen.engines.recognition import Recognition, RecognitionConfig, Taught
from imgen.errors import UsageError
from imgen.networks.conv import ConvDecoder, ConvDiscriminator, ConvEncoder
from imgen.networks.face_editor import FaceEditor
from imgen.networks.network import Network
from imgen.networks.recogniser import Recogniser
from imgen.networks.scale import stages
from imgen.spec import Spec
from imgen.training import checkpoint
from imgen.training.config import TrainConfig
from imgen.training.loader import Source
from imgen.training.loop import Trainer
from imgen_apps.face_identity import recogniser as teacher_of
from imgen_apps.recipes.people import Faces, TaughtFaces, people_in, reached, same_person_threshold, way
from imgen_apps.recipes.recipe import Models, Recipe, generator_of
from imgen_apps.recipes.translation import rows

_NAMES = "directions"
"""The one tensor of a recogniser that is of the people it learnt from."""
_SHOWN = 8
_CALIBRATED_BY = 128  # faces that have not yet what a direction leads to
_LEAST_REACHED = 0.5  # of a way: no direction is lengthened to more than twice of it


@dataclass(frozen=True)
class FacesRecipe(Recipe):
    """What both runs share: the faces."""

    size: int = 128
    batch: int = 32
    code: int = 128  # of identity
    width: int = 16  # of the recogniser
    people: int = 0  # with a direction of their own, as the data have them
    augment: tuple[str, ...] = ("flip",)

    def with_batch(self, batch: int) -> Self:
        """Two at least: a face is given the attributes of another one."""
        if batch < 2:
            raise UsageError(f"--batch is {batch}; faces of a batch are paired, so it takes 2 at least")
        return replace(self, batch=batch)

    def with_size(self, size: int) -> Self:
        """A power of two."""
        stages(size)
        return replace(self, size=size)

    def fitted(self, data: Sequence[Path]) -> Self:
        """With as many people as there are."""
        return replace(self, people=len(people_in(data)[0].classes))

    def source(self, data: Sequence[Path]) -> Source:
        """Shuffled epochs of all faces but those kept apart."""
        return Faces(data, self.size, self.batch, seed=self.train.seed, augment=self.augment)

    def recogniser(self) -> Recogniser:
        """Untrained."""
        return Recogniser(Recogniser.Config(self.size, 3, self.code, self.width, classes=self.people))


@dataclass(frozen=True)
class IdentityRecipe(FacesRecipe):
    """A recogniser."""

    losses: RecognitionConfig = field(default_factory=RecognitionConfig)
    teacher: str = ""  # an embedding network, .onnx

    USE: ClassVar[str] = "imgen train faces --data PEOPLE --start"

    def with_teacher(self, teacher: Path) -> Self:
        """An .onnx file from a face to a code of as many values as ours."""
        return replace(self, teacher=str(teacher))

    def source(self, data: Sequence[Path]) -> TaughtFaces:
        """With the teacher's codes."""
        faces = super().source(data)
        assert isinstance(faces, Faces)
        return TaughtFaces(faces, teacher_of(self.teacher).embed if self.teacher else None)

    def engine(self, device: str) -> Recognition:
        """See the class."""
        del device
        return Recognition(self.recogniser(), self.losses)

    def begin(self, engine: Engine, start: Path) -> None:
        """But for the people's own directions, where they are others."""
        assert isinstance(engine, Recognition)
        take_over(engine.network, start)

    def picture(self, engine: Engine, batch: Taught) -> None:
        """There is nothing to be seen."""

    def spec(self, network: Network) -> Spec:
        """Of the recogniser."""
        assert isinstance(network, Recogniser)
        return Spec("identity-mine", "identify", "unknown", size=self.size, multiple=self.size)


@dataclass(frozen=True)
class IPGANRecipe(FacesRecipe):
    """The five networks of the paper."""

    losses: IPGAN.Config = field(default_factory=IPGAN.Config)
    attributes: int = 128
    encoder: int = 16  # width
    generator: int = 32
    critic: int = 24

    USE: ClassVar[str] = "imgen face swap photo.jpg --identity other.jpg --model"

    def trainer(self, data: Sequence[Path], folder: Path, device: str = "cpu", start: Path | None = None) -> Trainer:
        """As of all recipes.

        Raises:
            UsageError: what is not to learn is not given either.
        """
        if start is None and not self.losses.recogniser_rate and not checkpoint.path_in(folder).exists():
            raise UsageError(
                "this recipe builds on a network that knows faces apart; give --start RUN of face-identity"
            )
        return super().trainer(data, folder, device, start)

    def engine(self, device: str) -> IPGAN:
        """See the class; what does not learn is there once."""
        del device
        size = self.size
        recogniser = self.recogniser()
        code = self.code + self.attributes
        return IPGAN(
            recogniser,
            ConvEncoder(ConvEncoder.Config(size, 3, 2 * self.attributes, self.encoder, 8 * self.encoder)),
            ConvDecoder(ConvDecoder.Config(size, 3, code, self.generator, 8 * self.generator)),
            self.recogniser() if self.losses.recogniser_rate else recogniser,
            ConvDiscriminator(ConvDiscriminator.Config(size, 3, self.critic, 8 * self.critic)),
            self.losses,
        )

    def begin(self, engine: Engine, start: Path) -> None:
        """Of a run of ours all networks; of one of ``face-identity`` what knows faces apart."""
        assert isinstance(engine, IPGAN)
        if start.is_dir() and checkpoint.load(start)["identity"]["engine"] == IPGAN.__name__:
            theirs = checkpoint.load(start)["networks"]
            checkpoint.check_fit(engine.state_dict(), theirs, start)
            engine.load_state_dict(theirs)
            return
        take_over(engine.recogniser, start)
        take_over(engine.classifier, start)

    @torch.no_grad()
    def picture(self, engine: Engine, batch: Batch) -> Tensor:
        """Rows of a face, it through both codes and back, another, and the first with the other's attributes."""
        assert isinstance(engine, IPGAN)
        first, other = batch.image[:_SHOWN].to(engine.device), batch.image[-_SHOWN:].to(engine.device)
        swapped, again = engine.combine(first, other), engine.reconstruct(first)
        return rows(*(to_unit(image, engine.generator) for image in (first, other)), again, swapped)

    def models(self, engine: Engine, source: Source) -> Models:
        """I, A and G as one, with directions to edit along and the score from which on two faces are one person."""
        assert isinstance(engine, IPGAN)
        assert isinstance(source, Faces)
        editor = engine.product
        assert isinstance(editor, FaceEditor)
        return {"model": (editor, replace(self.spec(editor), face=self._face(engine, source)))}

    @torch.no_grad()
    def _face(self, engine: IPGAN, source: Faces) -> dict[str, object]:
        """What a face model says of itself (``imgen_apps.face_model``)."""
        apart = ImageFolder(source.apart, self.size, 3)
        who = torch.cat([engine.recogniser.code(each) for each in _images(apart, engine.device)])
        items = source.items
        assert isinstance(items, ImageFolder)
        what = torch.cat([engine.attribute_code(each) for each in _images(items, engine.device)]).cpu()
        place = {path: number for number, path in enumerate(items.paths)}
        directions, places = {}, {}
        for attribute in source.attributes:
            said = zip(attribute.files, attribute.values.tolist(), strict=True)
            numbers, says = np.array([(place[path], value) for path, value in said if path in place]).T
            step, rule = way(what[numbers], torch.from_numpy(says == 1))
            some = numbers[says == 0][:_CALIBRATED_BY]
            directions[attribute.name] = (step * self._stride(engine, items.pixels(some)[0], step)).tolist()
            places[attribute.name] = rule.tolist()
        return {
            "identity": self.code,
            "attributes": self.attributes,
            "directions": directions,
            "places": places,
            "frontal": what.mean(0).tolist(),  # poses to the left and to the right cancel out
            "threshold": round(same_person_threshold(who.cpu(), apart.labels), 4),
        }

    def _stride(self, engine: IPGAN, faces: Tensor, step: Tensor) -> float:
        """How many times a step in the attributes must be asked for to be gone once in the pictures."""
        image, step = signed(faces).to(engine.device), step.to(engine.device)
        who, what = engine.recogniser.code(image), engine.attribute_code(image)
        made = (engine.generator(torch.cat([who, each], 1)) for each in (what, what + step))
        before, after = (engine.attribute_code(each) for each in made)
        return 1 / max(reached(before, after, step), _LEAST_REACHED)

    def spec(self, network: Network) -> Spec:
        """Of the editor, without what it can only say after training."""
        assert isinstance(network, FaceEditor)
        return Spec(
            "face-mine",
            "face",
            "unknown",
            inputs=("identity", "attributes", "keep", "shift"),
            outputs=("result", "identity_code", "attribute_code"),
            size=self.size,
            multiple=self.size,
        )


def take_over(network: Recogniser, start: Path) -> None:
    """The weights of a trained recogniser, but for the directions of the people it learnt from.

    Raises:
        ModelError: it is missing, or of another kind or size.
    """
    theirs = generator_of(start, "network.")
    theirs[_NAMES] = network.directions.detach()
    checkpoint.check_fit(network.state_dict(), theirs, start)
    network.load_state_dict(theirs)


def _images(items: ImageFolder, device: torch.device) -> list[Tensor]:
    numbers = np.array_split(np.arange(len(items)), max(1, len(items) // 64))
    return [signed(items.pixels(part)[0]).to(device) for part in numbers]


RECIPES: dict[str, FacesRecipe] = {
    "face-identity": IdentityRecipe(
        TrainConfig(steps=4000, warm_up=100, decay=0.5, ema=0.998), batch=64, augment=("flip", "turn", "light")
    ),
    "faces": IPGANRecipe(
        TrainConfig(steps=8000, warm_up=100, decay=0.4, ema=0.998),
        losses=IPGAN.Config(learning_rate=5e-4, recogniser_rate=0.0, divergence=0.3, matching=4.0),
        batch=16,
    ),
    "ip-gan": IPGANRecipe(TrainConfig(steps=100_000, decay=0.5), encoder=32, generator=64, critic=64, width=32),
}
