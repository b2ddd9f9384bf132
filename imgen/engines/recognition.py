"""Learning who it is: classes by a softmax with a margin, and where there is a teacher, codes as it gives them.

References: Wang et al. 2018, "CosFace: Large Margin Cosine Loss for Deep Face Recognition", arXiv:1801.09414, eq. 4;
a teacher's codes as what to learn in place of classes: Hinton et al. 2015, "Distilling the Knowledge in a Neural
Network", arXiv:1503.02531, sec. 1, here by the angle between them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from imgen.engines.engine import Engine, Player, Updates
from imgen.errors import UsageError
from imgen.losses.likelihood import labelled_cross_entropy
from imgen.networks.network import Network
from imgen.networks.recogniser import SHARPNESS, Recogniser


class Taught(NamedTuple):
    """Images, who they are of, and what the teacher says of them."""

    image: Tensor  # N x C x S x S in -1..1
    label: Tensor  # N int64, -1 where it is not known
    code: Tensor  # N x T: the teacher's, of any length; T = 0 without one


@dataclass(frozen=True)
class RecognitionConfig:
    """Rate and weights."""

    learning_rate: float = 1e-3
    margin: float = 0.35  # by which the cosine of the right class must win
    classes: float = 0.1  # weight of the classes' cross entropy
    teacher: float = 10.0  # weight of 1 - cosine of the teacher's code and ours


class Recognition(Engine):
    """One network; images without a label teach where there is a teacher."""

    def __init__(self, network: Recogniser, config: RecognitionConfig) -> None:
        super().__init__()
        self.network, self.config = network, config

    def players(self) -> dict[str, Player]:
        """The network."""
        return {"recogniser": Player(self.network, self.config.learning_rate, (0.9, 0.999))}

    @property
    def product(self) -> Network:
        """The network."""
        return self.network

    def step(self, batches: Iterator[Taught], t: int) -> Updates:
        """One batch.

        Raises:
            UsageError: the teacher's codes are of another size.
        """
        del t
        image, label, code = next(batches)
        scored, config = self.network(image), self.config
        right = (scored.logits.argmax(1) == label).sum() / (label >= 0).sum().clamp(min=1)
        loss = config.classes * labelled_cross_entropy(with_margin(scored.logits, label, config.margin), label)
        self._terms = {"accuracy": right}
        if code.shape[1]:
            if code.shape[1] != scored.features[0].shape[1]:
                raise UsageError(
                    f"the teacher's codes have {code.shape[1]} values, ours {scored.features[0].shape[1]}; "
                    "choose a teacher of that many"
                )
            agreement = F.cosine_similarity(scored.features[0], code).mean()
            self._terms["agreement"] = agreement.detach()
            loss = loss + config.teacher * (1 - agreement)
        yield "recogniser", loss


def with_margin(logits: Tensor, label: Tensor, margin: float) -> Tensor:
    """``SHARPNESS`` times the cosines, that of the right class less by a margin (eq. 4)."""
    right = torch.arange(logits.shape[1], device=label.device) == label[:, None]
    return logits - SHARPNESS * margin * right
