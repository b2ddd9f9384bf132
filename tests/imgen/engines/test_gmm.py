import itertools

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, MultivariateNormal, Normal

from imgen.engines.gmm import Covariance, GaussianMixture, fit
from imgen.errors import UsageError

KINDS: list[Covariance] = ["full", "tied", "diagonal", "spherical"]
CENTRES = torch.tensor([[0.0, 3.0], [3.0, 0.0], [-3.0, -2.0]], dtype=torch.float64)


def blobs(n: int = 6000) -> Tensor:
    torch.manual_seed(0)
    return CENTRES[torch.arange(n) % 3] + 0.3 * torch.randn(n, 2, dtype=torch.float64)


@pytest.mark.parametrize("kind", KINDS)
def test_the_likelihood_never_falls(kind: Covariance) -> None:
    torch.manual_seed(1)
    x = torch.randn(400, 3, dtype=torch.float64) * torch.tensor([1.0, 2.0, 0.5]) + torch.randn(400, 1)
    history = fit(x, 4, kind, regularisation=0, tolerance=-1, iterations=40).log_likelihoods
    assert len(history) == 41
    assert all(after >= before - 1e-9 for before, after in itertools.pairwise(history))
    assert history[-1] > history[0] + 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_one_component_is_the_sample_mean_and_covariance(kind: Covariance) -> None:
    x = blobs(500)
    covariance = torch.cov(x.T, correction=0)
    expected = {
        "full": covariance,
        "tied": covariance,
        "diagonal": covariance.diagonal(),
        "spherical": covariance.diagonal().mean().expand(2),
    }[kind]
    mixture = fit(x, 1, kind, regularisation=0).mixture
    torch.testing.assert_close(mixture.means[0], x.mean(0))
    torch.testing.assert_close(mixture.covariances[0], expected)


@pytest.mark.parametrize("kind", KINDS)
def test_three_separate_gaussians_are_found(kind: Covariance) -> None:
    x = blobs()
    mixture = fit(x, 3, kind).mixture
    found = torch.stack([mixture.means[(mixture.means - centre).norm(dim=1).argmin()] for centre in CENTRES])
    assert (found - CENTRES).abs().max() < 0.05
    torch.testing.assert_close(mixture.weights, torch.full((3,), 1 / 3, dtype=torch.float64), atol=0.01, rtol=0)
    assert mixture.responsibilities(CENTRES).max(1).values.min() > 0.999


@pytest.mark.parametrize("kind", KINDS)
def test_log_prob_is_that_of_torch_distributions(kind: Covariance) -> None:
    torch.manual_seed(2)
    x = torch.randn(200, 4, dtype=torch.float64)
    mixture = fit(x, 3, kind, iterations=5).mixture
    parts = (
        MultivariateNormal(mixture.means, mixture.covariances)
        if mixture.covariances.ndim == 3
        else Independent(Normal(mixture.means, mixture.covariances.sqrt()), 1)
    )
    reference = MixtureSameFamily(Categorical(mixture.weights), parts)
    torch.testing.assert_close(mixture.log_prob(x), reference.log_prob(x))


@pytest.mark.parametrize("kind", KINDS)
def test_samples_have_the_moments_of_the_data(kind: Covariance) -> None:
    x = blobs()
    drawn = fit(x, 3, kind).mixture.sample(20_000)
    torch.testing.assert_close(drawn.mean(0), x.mean(0), atol=0.1, rtol=0)
    torch.testing.assert_close(torch.cov(drawn.T), torch.cov(x.T), atol=0.2, rtol=0)


def test_bic_prefers_the_number_of_components_that_made_the_data() -> None:
    x = blobs(900)
    scores = {k: fit(x, k, "spherical").mixture.bic(x) for k in (1, 2, 3, 6)}
    assert min(scores, key=scores.__getitem__) == 3


def test_bic_counts_the_free_parameters() -> None:
    x = torch.randn(10, 2, dtype=torch.float64)
    counted = {"full": 1 + 4 + 6, "tied": 1 + 4 + 3, "diagonal": 1 + 4 + 4, "spherical": 1 + 4 + 2}
    for kind in KINDS:
        mixture = fit(x, 2, kind, iterations=1).mixture
        parameters = (mixture.bic(x) + 2 * float(mixture.log_prob(x).sum())) / torch.tensor(10.0).log()
        assert float(parameters) == pytest.approx(counted[kind])


def test_a_component_on_one_point_does_not_collapse() -> None:
    x = torch.cat([torch.zeros(50, 2), torch.ones(50, 2)])
    mixture = fit(x, 2).mixture
    assert mixture.log_prob(x.double()).isfinite().all()


@pytest.mark.parametrize("data", [torch.zeros(2, 2), torch.zeros(20, 2, 2)])
def test_data_that_cannot_be_fitted_are_refused(data: Tensor) -> None:
    with pytest.raises(UsageError, match="at least as many rows"):
        fit(data, 3)


def test_an_unknown_covariance_is_refused() -> None:
    with pytest.raises(UsageError, match="there are full, tied, diagonal, spherical"):
        fit(torch.randn(9, 2), 2, "round")  # type: ignore[arg-type]


def test_em_bounds_the_likelihood_by_the_divergence_from_the_posterior() -> None:
    """For any r(z): log p(x) = E_r[log p(x, z) - log r(z)] + KL(r | p(z | x)) (Bishop 2006, eq. 9.70)."""
    x = blobs(50)
    mixture: GaussianMixture = fit(x, 3, iterations=2).mixture
    joint = mixture.weights.log() + MultivariateNormal(mixture.means, mixture.covariances).log_prob(x[:, None])
    r = torch.rand_like(joint).softmax(1)
    bound = (r * (joint - r.log())).sum(1)
    gap = (r * (r.log() - mixture.responsibilities(x).log())).sum(1)
    assert gap.min() > 0
    torch.testing.assert_close(bound + gap, mixture.log_prob(x))
