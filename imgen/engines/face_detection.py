"""Finding faces by their middles: CenterNet for faces that have a roll.

Reference: Zhou et al. 2019, "Objects as Points", arXiv:1904.07850, sec. 3 and 4.1. Differs: the size is learnt as its
logarithm, the roll beside it, and both not at the middle alone but, with less weight, near it as in Liu et al. 2019,
"Training-Time-Friendly Network for Real-Time Object Detection", arXiv:1909.00700, sec. 3.2, which learns sooner.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from imgen.engines.engine import Engine, Player, Updates
from imgen.networks.face_detector import STRIDE, FaceDetector
from imgen.networks.network import Network


class FaceBatch(NamedTuple):
    """Images and the faces in them."""

    image: Tensor  # N x 3 x H x W in 0..1
    faces: (
        Tensor  # N x K x 5: x and y of the middle, height, roll (radians), 1 or, to be passed over, 0; height 0: none
    )


@dataclass(frozen=True)
class FaceDetectionConfig:
    """What is a face, and the weights of the losses."""

    smallest: float = 20.0  # height in pixels; smaller ones are passed over
    largest: float = (
        60.0  # larger ones are passed over, too, and are no faces from half as large again: see the network
    )
    spread: float = 0.12  # standard deviation of the peak in the map of scores, in heights of the face
    alpha: float = 2.0  # eq. 1
    beta: float = 4.0
    place: float = 1.0  # mean absolute difference, in places
    size: float = 2.0  # of the logarithm
    roll: float = 1.0  # of its cosine and its sine
    learning_rate: float = 2e-3


class Targets(NamedTuple):
    """What the maps should be, at each place; N x h x w but for the pose."""

    score: Tensor  # in 0..1; 1 at the places that hold the middle of a face
    known: Tensor  # 1, or 0 where there is a face to be passed over
    pose: Tensor  # N x 5 x h x w, of the nearest face
    weight: Tensor  # of the pose


class FaceDetection(Engine):
    """One network, a focal loss for where faces are and absolute differences for how they lie."""

    def __init__(self, network: FaceDetector, config: FaceDetectionConfig = FaceDetectionConfig()) -> None:
        super().__init__()
        self.network, self.config = network, config

    def players(self) -> dict[str, Player]:
        """The detector."""
        return {"detector": Player(self.network, self.config.learning_rate, (0.9, 0.999))}

    @property
    def product(self) -> Network:
        """The detector."""
        return self.network

    def step(self, batches: Iterator[FaceBatch], t: int) -> Updates:
        """Eq. 4 of one batch."""
        del t
        image, faces = next(batches)
        config = self.config
        logits, pose = self.network.maps(image)
        wanted = targets(faces, (logits.shape[2], logits.shape[3]), config)
        difference = (pose - wanted.pose).abs() * wanted.weight[:, None]
        place, size, roll = (part.sum() for part in difference.split([2, 1, 2], 1))
        total = wanted.weight.sum().clamp(min=1)
        terms = {
            "score": focal(logits[:, 0], wanted, config.alpha, config.beta),
            "place": config.place * place / total,
            "size": config.size * size / total,
            "roll": config.roll * roll / total,
        }
        self._terms = {name: term.detach() for name, term in terms.items()}  # weighted
        yield "detector", torch.stack(list(terms.values())).sum()


def focal(logits: Tensor, wanted: Targets, alpha: float, beta: float) -> Tensor:
    """Eq. 1: cross entropy that counts places less which are right already, or near the middle of a face.

    Args:
        logits: N x h x w.
        wanted: of these places.
        alpha: how much less what is right counts.
        beta: how much less what is near a middle counts.

    Returns:
        The sum over all places that are known, divided by the number of middles.
    """
    score = torch.sigmoid(logits)
    middle = (wanted.score == 1).float() * wanted.known
    found = torch.nn.functional.logsigmoid(logits) * (1 - score) ** alpha * middle
    passed = torch.nn.functional.logsigmoid(-logits) * score**alpha * (1 - wanted.score) ** beta * wanted.known
    return -(found + passed).sum() / middle.sum().clamp(min=1)


def targets(faces: Tensor, size: tuple[int, int], config: FaceDetectionConfig) -> Targets:
    """What the maps should be for some faces.

    Args:
        faces: N x K x 5, as in ``FaceBatch``.
        size: h and w of the maps.
        config: says which heights are learnt.
    """
    x, y, height, roll, given = (part[..., None, None] for part in faces.unbind(2))  # N x K x 1 x 1
    learnt = (given == 1) & (height >= config.smallest) & (height <= config.largest)
    passed = (height > 0) & ~learnt & (height < 1.5 * config.largest)
    down, across = torch.meshgrid(*(torch.arange(n, device=faces.device) for n in size), indexing="ij")
    right, below = x / STRIDE - (across + 0.5), y / STRIDE - (down + 0.5)  # N x K x h x w
    high = (height / STRIDE).clamp(min=1e-3)
    # From the middle of the place that the face's own lies in, so that the peak is exactly 1.
    square = ((x / STRIDE).floor() - across) ** 2 + ((y / STRIDE).floor() - down) ** 2
    peaks = torch.exp(-square / (2 * (config.spread * high) ** 2)) * learnt
    score, nearest = peaks.max(1, keepdim=True)
    whole = torch.stack([right, below, *torch.broadcast_tensors(high.log(), roll.cos(), roll.sin(), right)[:3]], 2)
    index = nearest[:, :, None].expand(-1, -1, 5, -1, -1)
    pose = whole.gather(1, index)[:, 0]
    over = (((right / high) ** 2 + (below / high) ** 2 < 0.25) & passed).any(1)
    known = (~over | (score[:, 0] > 0.5)).to(score.dtype)
    weight = score[:, 0] * (score[:, 0] > 0.2)
    return Targets(score[:, 0], known, pose, weight)
