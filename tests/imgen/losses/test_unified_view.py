"""GAN training as variational inference, in the project's own terms."""

import torch
from torch import Tensor

from imgen.losses.adversarial import NON_SATURATING
from imgen.losses.divergence import jensen_shannon


def kl(p: Tensor, q: Tensor) -> Tensor:
    return (p * (p / q).log()).sum()


def test_the_generators_gradient_is_that_of_a_divergence_less_a_jensen_shannon() -> None:
    """Hu et al. 2018, "On Unifying Deep Generative Models", arXiv:1706.00550, lemma 1, on three states.

    With the discriminator at its optimum q for the old generator: the gradient of E[-log D] on what is
    generated is that of E_y KL(p(x|y) | q^r(x|y)) - JSD, where q^r says real of fakes and fake of data.
    """
    data = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    theta = torch.tensor([0.3, -0.8, 1.1], dtype=torch.float64, requires_grad=True)
    old = theta.detach().softmax(0)
    logit = (data / old).log()
    made = theta.softmax(0)
    loss = (made * NON_SATURATING.made(logit)).sum() / 2  # half of what there is, is made

    middle = (data + old) / 2
    reversed_real, reversed_fake = torch.sigmoid(-logit) * middle, torch.sigmoid(logit) * middle
    target_of_made, target_of_data = reversed_fake / reversed_fake.sum(), reversed_real / reversed_real.sum()
    divergence = (kl(made, target_of_made) + kl(data, target_of_data)) / 2 - jensen_shannon(made, data)
    (a,), (b,) = torch.autograd.grad(loss, theta, retain_graph=True), torch.autograd.grad(divergence, theta)
    assert a.abs().max() > 0.01
    torch.testing.assert_close(a, b, atol=1e-8, rtol=0)
