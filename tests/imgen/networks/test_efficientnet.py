import pytest
import torch

from imgen.networks.efficientnet import EfficientNetLite0


@pytest.fixture(scope="module")
def net() -> EfficientNetLite0:
    return EfficientNetLite0.pretrained()


def test_features_go_from_fine_to_coarse(net: EfficientNetLite0) -> None:
    shapes = [tuple(f.shape) for f in net(torch.rand(2, 3, 64, 64))]
    assert shapes == [(2, 32, 32, 32), (2, 144, 16, 16), (2, 240, 8, 8), (2, 480, 4, 4)]


def test_folded_batch_norm_keeps_activations_in_range(net: EfficientNetLite0) -> None:
    """A wrong fold or a wrong scale of the input saturates relu6 or kills it."""
    torch.manual_seed(0)
    for feature in net(torch.rand(1, 3, 64, 64)):
        alive = ((feature > 0) & (feature < 6)).float().mean()
        assert 0.05 < alive < 0.95


def test_nothing_in_it_is_learnt(net: EfficientNetLite0) -> None:
    assert not any(p.requires_grad for p in net.parameters())
