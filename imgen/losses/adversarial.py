"""Two-player losses of logits (no sigmoid inside), each to be minimised by its player."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from imgen.networks.layers import precise

Logits = Tensor | Sequence[Tensor]  # of any shape, N first; a list (of several scales, say): losses are summed
Label = float | Tensor  # 1 says real, 0 says fake; one for all, or N: one for each sample
Term = Callable[[Tensor], Tensor]  # of single logits


@dataclass(frozen=True)
class Adversarial:
    """A loss by its three terms."""

    real: Term  # the discriminator's, of what it should call real
    fake: Term  # the discriminator's, of what it should call fake
    made: Term  # the generator's, of what it made

    def discriminator(
        self,
        real: Logits,
        *fakes: Logits,
        weights: Sequence[float] | None = None,
        labels: tuple[Label, Label] = (1.0, 0.0),
    ) -> Tensor:
        """The mean of the real term, plus the mean of the fake term over each of ``fakes``.

        Args:
            real: logits of data.
            fakes: logits of one or more kinds of fakes (generated, mismatched, ...).
            weights: of the kinds of fakes; 1 each if not given.
            labels: of the real and of the fakes; values between 1 and 0 mix the two terms. One-sided
                smoothing is (0.9, 0) (Salimans et al. 2016, arXiv:1606.03498, sec. 3.4); flipped
                labels come from ``imgen.losses.noise.noisy_labels``.
        """
        loss = self._labelled(real, labels[0])
        for fake, weight in zip(fakes, weights or [1.0] * len(fakes), strict=True):
            loss = loss + weight * self._labelled(fake, labels[1])
        return loss

    def generator(self, fake: Logits) -> Tensor:
        """The mean of the generator's term."""
        return _mean(self.made, fake)

    def _labelled(self, logits: Logits, label: Label) -> Tensor:
        def mixed(d: Tensor) -> Tensor:
            share = label.reshape(-1, *[1] * (d.ndim - 1)) if isinstance(label, Tensor) else label
            return share * self.real(d) + (1 - share) * self.fake(d)

        return _mean(mixed, logits)


def _mean(term: Term, logits: Logits) -> Tensor:
    """The mean of a term over logits, summed over the list if it is one."""
    listed = [logits] if isinstance(logits, Tensor) else logits
    return torch.stack([term(precise(each)).mean() for each in listed]).sum()


def least_squares(a: float, b: float, c: float) -> Adversarial:
    """Mao et al. 2017, "Least Squares GAN", arXiv:1611.04076, eq. 2, without its factors 1/2.

    Args:
        a: what the discriminator should say of fakes.
        b: what it should say of data.
        c: what the generator wants it to say of fakes.
    """
    return Adversarial(lambda d: (d - b).square(), lambda d: (d - a).square(), lambda d: (d - c).square())


MINIMAX = Adversarial(lambda d: F.softplus(-d), F.softplus, lambda d: -F.softplus(d))
"""Goodfellow et al. 2014, "Generative Adversarial Nets", arXiv:1406.2661, eq. 1: -log D, -log(1 - D); log(1 - D)."""

NON_SATURATING = Adversarial(lambda d: F.softplus(-d), F.softplus, lambda d: F.softplus(-d))
"""The same, sec. 3: the generator minimises -log D, whose gradient stays where the discriminator is sure."""

LEAST_SQUARES = least_squares(0, 1, 1)
"""The 0-1 coding, arXiv:1611.04076, eq. 9, without its factors 1/2."""

WASSERSTEIN = Adversarial(lambda d: -d, lambda d: d, lambda d: -d)
"""Arjovsky et al. 2017, "Wasserstein GAN", arXiv:1701.07875, eq. 2; the critic must be kept Lipschitz."""

HINGE = Adversarial(lambda d: F.relu(1 - d), lambda d: F.relu(1 + d), lambda d: -d)
"""Lim & Ye 2017, "Geometric GAN", arXiv:1705.02894, eq. 15 and 16."""


def swap(encoded: Tensor, decoded: Tensor) -> Tensor:
    """What encoder and decoder of ALI minimise: the discriminator's loss with the two kinds swapped.

    Dumoulin et al. 2017, "Adversarially Learned Inference", arXiv:1606.00704, algorithm 1; its
    discriminator minimises ``NON_SATURATING.discriminator(encoded, decoded)``.

    Args:
        encoded: logits of pairs (datum, its code).
        decoded: logits of pairs (what was made of a prior code, that code).
    """
    return NON_SATURATING.discriminator(decoded, encoded)


def real_logit(classes: Tensor) -> Tensor:
    """K class logits, N x K, to the logit of "real", N, of a classifier whose class K + 1, fake, has logit 0.

    1 - p(K + 1) = Z / (Z + 1) with Z the sum of the exponentials: Salimans et al. 2016, "Improved
    Techniques for Training GANs", arXiv:1606.03498, sec. 5.
    """
    return precise(classes).logsumexp(1)


def k_plus_one_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """The unsupervised half of the loss of a K + 1 classifier, of K class logits each, N x K.

    Salimans et al. 2016, arXiv:1606.03498, sec. 5, with the factor 1/2 of its code. The supervised half
    is the cross entropy of the K logits; the generator matches features (``matching.mean_match``).
    """
    return NON_SATURATING.discriminator(real_logit(real), real_logit(fake)) / 2
