"""IP-GAN: a face with the identity of one picture and everything else of another, also of people never seen.

Reference: Bao et al. 2018, "Towards Open-Set Identity Preserving Face Synthesis", arXiv:1803.11182, sec. 3: I says who
it is, A takes a code of all else, G makes an image of both, C and D compare by their features. Differs: a residual
recogniser in place of VGG, DCGAN's layers; the two pictures of a step are one and the same in every other step.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from imgen.data.batch import Batch
from imgen.engines.engine import Engine, Player, Updates, to_unit
from imgen.losses.adversarial import NON_SATURATING
from imgen.losses.divergence import kl_standard_normal
from imgen.losses.likelihood import labelled_cross_entropy
from imgen.losses.matching import pair_l2
from imgen.networks.conv import ConvDecoder, ConvEncoder
from imgen.networks.face_editor import FaceEditor
from imgen.networks.gaussian import gaussian
from imgen.networks.layers import precise
from imgen.networks.network import Network, Scored
from imgen.networks.recogniser import Recogniser


class IPGAN(Engine):
    """Networks I, A, G, C and D; no labels of attributes are needed, and images without a label are of use, too.

    Squared distances are summed over values and averaged over the batch, so that of pixels and of feature maps grows
    with the size of the images, and that of identities does not: ``matching`` balances them.
    """

    @dataclass(frozen=True)
    class Config:
        """Rates and weights."""

        learning_rate: float = 2e-4
        recogniser_rate: float = 2e-4  # of I and C; 0: they stay as they are given
        different: float = 0.1  # lambda: weight of the pixels where the two pictures differ (sec. 3.3)
        divergence: float = 1.0  # weight of the attribute code's distance from its prior
        features: float = 1.0  # weight of the distance of D's features
        matching: float = 1.0  # weight of the distance of C's

    def __init__(  # noqa: PLR0917 (the five networks of the paper)
        self,
        recogniser: Recogniser,
        encoder: ConvEncoder,
        generator: ConvDecoder,
        classifier: Recogniser,
        discriminator: Network,
        config: Config,
    ) -> None:
        """``classifier`` may be ``recogniser`` itself where neither is to learn."""
        super().__init__()
        self.recogniser, self.encoder, self.generator = recogniser, encoder, generator
        self.classifier, self.discriminator, self.config = classifier, discriminator, config

    def players(self) -> dict[str, Player]:
        """Those that learn."""
        rate = self.config.learning_rate
        players = {
            "attributes": Player(self.encoder, rate),
            "generator": Player(self.generator, rate),
            "discriminator": Player(self.discriminator, rate),
        }
        if self.config.recogniser_rate:
            slow = self.config.recogniser_rate
            players |= {"identity": Player(self.recogniser, slow), "classifier": Player(self.classifier, slow)}
        return players

    def train(self, mode: bool = True) -> Self:
        """What does not learn keeps the statistics it was given."""
        super().train(mode)
        if not self.config.recogniser_rate:
            self.recogniser.eval()
            self.classifier.eval()
        return self

    @property
    def product(self) -> Network:
        """I, A and G as one."""
        return FaceEditor.of(self.recogniser, self.encoder, self.generator).to(self.device).train(self.training)

    def step(self, batches: Iterator[Batch], t: int) -> Updates:
        """One batch; in even steps both pictures are the same, in odd ones the attributes are the neighbour's."""
        config, (subject, label, _) = self.config, next(batches)
        same = t % 2 == 0
        other = subject if same else subject.roll(1, 0)
        posterior = gaussian(self.encoder(other))
        who = self._identify(subject)
        made = self.generator(torch.cat([who.features[0].detach(), posterior.sample()], 1))
        # Both in one batch: batch normalisation of each by itself would hide what tells them apart.
        judged = self.discriminator(torch.cat([other, made]))
        (real, fake), (looks, looked) = judged.logits.chunk(2), precise(judged.features[-1]).chunk(2)
        named, wanted, found = self._recognise(subject, made, who)
        divergence = kl_standard_normal(*posterior).mean()
        pixels = (1.0 if same else config.different) * pair_l2(made, other)
        matched, alike = pair_l2(precise(found), wanted.detach()), pair_l2(looked, looks.detach())
        self._terms = {
            "divergence": divergence.detach(),
            "pixels_same" if same else "pixels_different": pixels.detach(),
            "matching": matched.detach(),
            "features": alike.detach(),
        }
        losses = {
            "attributes": config.divergence * divergence + pixels,
            "generator": pixels + config.matching * matched + config.features * alike,
            "discriminator": NON_SATURATING.discriminator(real, fake),
        }
        if config.recogniser_rate:
            losses |= {
                "identity": labelled_cross_entropy(who.logits, label),
                "classifier": labelled_cross_entropy(named, label),
            }
        yield losses

    def _identify(self, image: Tensor) -> Scored:
        """What I says of it."""
        with torch.set_grad_enabled(bool(self.config.recogniser_rate)):
            return self.recogniser(image)

    def _recognise(self, subject: Tensor, made: Tensor, who: Scored) -> tuple[Tensor, Tensor, Tensor]:
        """C's logits of the subject, and its features of the subject and of what was made."""
        if self.classifier is self.recogniser:
            return who.logits, who.features[0], self.classifier(made).features[0]
        logits, (features,) = self.classifier(torch.cat([subject, made]))
        return (logits.chunk(2)[0], *features.chunk(2))

    @torch.no_grad()
    def attribute_code(self, image: Tensor) -> Tensor:
        """The means of the posteriors of images in -1..1, N x attributes."""
        return gaussian(self.encoder(image)).mu

    @torch.no_grad()
    def combine(self, identity: Tensor, attributes: Tensor) -> Tensor:
        """Faces of some with the attributes of others: images in -1..1, N x C x S x S each, to 0..1."""
        code = torch.cat([self.recogniser.code(identity), self.attribute_code(attributes)], 1)
        return to_unit(self.generator(code), self.generator)

    @torch.no_grad()
    def reconstruct(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        """Images in -1..1 through both codes and back, in 0..1."""
        del label
        return self.combine(image, image)
