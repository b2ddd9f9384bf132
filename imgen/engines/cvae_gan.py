"""CVAE-GAN: a VAE told the class, whose decoder plays by features against a discriminator and a classifier.

Reference: Bao et al. 2017, "CVAE-GAN: Fine-Grained Image Generation through Asymmetric Training",
arXiv:1703.10155, algorithm 1, with its weights. Differs: DCGAN's layers; of discriminator and classifier the
last map before the scores is compared; both see what is real and what is made in one batch, because batch
normalisation of each by itself would take away the difference of means that the generator is to learn from.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import functional as F

from imgen.data.batch import Batch
from imgen.engines.autoencoder import Autoencoder
from imgen.engines.engine import Player, Updates
from imgen.errors import UsageError
from imgen.losses.adversarial import NON_SATURATING
from imgen.losses.centres import ClassCentres, centre_match
from imgen.losses.divergence import kl_standard_normal
from imgen.losses.matching import mean_match, mean_match_unbiased, pair_l2
from imgen.networks import default
from imgen.networks.efficientnet import EfficientNetLite0
from imgen.networks.gaussian import gaussian
from imgen.networks.layers import precise
from imgen.networks.network import Network, Scored
from imgen.networks.projected import ProjectedDiscriminator, Sight
from imgen.networks.scale import Shape

FEATURES = ("own", "imagenet")
"""What discriminator and classifier can see by."""


class CVAEGAN(Autoencoder):
    """Encoder, decoder (the generator), discriminator and classifier, trained asymmetrically.

    Discriminator and classifier minimise cross entropies, of real and made, and of the classes of real images. The
    generator never sees these, whose gradients vanish once the other two are sure, but matches features: pair by pair
    those of an image and its reconstruction, on average those of real images and of samples.

    All distances are halves of squares summed over the values, then averaged over the batch (the pairs) or between
    averages (the means); the divergence is summed over the code. So the squared error of the pixels, of images in
    -1..1, grows with their number while the divergence and the features do not: with the weights as published, for
    128 x 128 in colour, a divergence counts four times as much against the pixels at 64 x 64, sixteen times at 32 x 32
    and 48 times there in grey. To keep the published balance of the two, divide ``divergence`` by that.
    """

    @dataclass(frozen=True)
    class Config:
        """Sizes, rate, and the weights of algorithm 1."""

        code: int = 256
        width: int = 64
        learning_rate: float = 2e-4
        divergence: float = 3.0  # lambda 1: of the code's, in the encoder's loss
        pairs: float = 1.0  # lambda 2: of image and reconstruction, in pixels and in features
        means: float = 1e-3  # lambda 3: of the discriminator's mean features
        centres: float = 1e-3  # lambda 4: of the classifier's mean features, class by class
        decay: float = 0.9  # of the moving averages of these, a batch
        unbiased: bool = False  # means and centres by estimates that draw no two samples to each other
        features: str = "own"  # what discriminator and classifier see by: "own" layers, or those of "imagenet"

        def __post_init__(self) -> None:
            if self.features not in FEATURES:
                raise UsageError(f"features is {self.features}; it is one of {' and '.join(FEATURES)}")
            if not 0 <= self.decay < 1:
                raise UsageError(f"decay is of a moving average, 0 or more and less than 1, got {self.decay}")

    def __init__(
        self, encoder: Network, decoder: Network, discriminator: Network, classifier: Network, config: Any
    ) -> None:
        super().__init__(encoder, decoder, config)
        self.discriminator, self.classifier = discriminator, classifier
        self.classes, features = classifier.get_parameter("score.weight").flatten(1).shape
        self.real_centres, self.made_centres = (
            ClassCentres(self.classes, features, config.decay, earlier=config.unbiased) for _ in range(2)
        )

    @classmethod
    def build(cls, shape: Shape, config: Any) -> Self:
        """The default networks; encoder and decoder are told the class, the other two are not.

        Raises:
            UsageError: the data have fewer than 2 classes.
        """
        if shape.classes < 2:
            raise UsageError(
                f"cvae-gan needs data of 2 or more classes, these have {shape.classes}: "
                "sub-folders by class, or a CSV; or train vae-gan"
            )
        width = config.width
        return cls(
            default.encoder(shape, 2 * config.code, width=width, conditional=True),
            default.decoder(shape, config.code, width=width, conditional=True),
            *(_by_imagenet(shape, width) if config.features == "imagenet" else _by_themselves(shape, width)),
            config,
        )

    def players(self) -> dict[str, Player]:
        """Four, at one learning rate."""
        names = ("encoder", "decoder", "discriminator", "classifier")
        return {name: Player(self.get_submodule(name), self.config.learning_rate) for name in names}

    def step(self, batches: Iterator[Batch], t: int) -> Updates:
        """One batch, all players at once; samples are of the classes that the batch has.

        Raises:
            UsageError: the class of an image is not known, or there is but one where means are to be unbiased.
        """
        del t
        config = self.config
        image, label, _ = next(batches)
        if (label < 0).any():
            raise UsageError("cvae-gan needs the class of every image; leave out those that have none")
        if config.unbiased and len(image) < 2:
            raise UsageError("one image a batch says nothing of how much they differ; give --batch 2 or more")
        posterior = gaussian(self.encoder(image, label))
        again, new = self.decoder(posterior.sample(), label), self.decoder(self.prior(len(image)), label)
        three = torch.cat([image, again, new])
        judged, named = self.discriminator(three), self.classifier(three)
        real, recoded, drawn = judged.logits.chunk(3)
        classified = named.logits.chunk(3)[0]

        divergence = kl_standard_normal(*posterior).mean()
        (image_d, again_d, new_d), (image_c, again_c, new_c) = _features(judged), _features(named)
        pairs = pair_l2(again, image) + pair_l2(again_d, image_d) + pair_l2(again_c, image_c)
        means = (mean_match_unbiased if config.unbiased else mean_match)(new_d, image_d)
        centres = centre_match(self.made_centres(new_c, label), self.real_centres(image_c, label))
        self._terms = {
            "divergence": divergence.detach(),
            "pairs": pairs.detach(),
            "means": means.detach(),
            "centres": centres.detach(),
            "accuracy": (classified.argmax(1) == label).float().mean(),
        }
        yield {
            "encoder": config.divergence * divergence + config.pairs * pairs,
            "decoder": config.pairs * pairs + config.means * means + config.centres * centres,
            "discriminator": NON_SATURATING.discriminator(real, recoded, drawn),
            "classifier": F.cross_entropy(precise(classified), label),
        }

    @torch.no_grad()
    def encode(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        """Images in -1..1 and their classes, N, or weights of the classes, N x K, to codes, N x code: the means."""
        return gaussian(self.encoder(image, label)).mu

    def sample(self, n: int, label: Tensor | None = None) -> Tensor:
        """``n`` new images of these classes, N; without them the classes take turns."""
        turns = torch.arange(n, device=self.device) % self.classes
        return super().sample(n, turns if label is None else label)


def _by_themselves(shape: Shape, width: int) -> tuple[Network, Network]:
    """Discriminator and classifier that learn to see."""
    return default.discriminator(shape, width=width), default.discriminator(shape, width=width, outputs=shape.classes)


def _by_imagenet(shape: Shape, width: int) -> tuple[Network, Network]:
    """Both by the same features of EfficientNet-Lite0, which they do not change."""
    if shape.size == 0 or shape.channels != 3:
        raise UsageError("the features of imagenet are of images in colour; set features to own")
    sight = Sight(EfficientNetLite0.pretrained())
    one, many = (ProjectedDiscriminator.Config(width, outputs) for outputs in (1, shape.classes))
    return ProjectedDiscriminator(one, sight), ProjectedDiscriminator(many, sight)


def _features(scored: Scored) -> tuple[Tensor, Tensor, Tensor]:
    """Of real images, which are constants, of their reconstructions and of samples: each N x D."""
    image, again, new = precise(scored.features[-1]).flatten(1).chunk(3)
    return image.detach(), again, new
