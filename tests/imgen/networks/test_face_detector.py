import pytest
import torch

from imgen.networks.face_detector import STRIDE, FaceDetector

SMALL = FaceDetector.Config(width=8, blocks=1)


def network(config: FaceDetector.Config = SMALL) -> FaceDetector:
    torch.manual_seed(0)
    return FaceDetector(config)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (40, 64), (8, 136)])
@torch.no_grad()
def test_one_place_every_eight_pixels(height: int, width: int) -> None:
    score, pose = network().eval()(torch.rand(2, 3, height, width))
    assert score.shape == (2, 1, height // STRIDE, width // STRIDE)
    assert pose.shape == (2, 5, height // STRIDE, width // STRIDE)
    assert 0 < score.min() <= score.max() < 1


@torch.no_grad()
def test_before_training_faces_are_rare_and_upright() -> None:
    score, pose = network().eval()(torch.rand(1, 3, 32, 32))
    assert score.max() < 0.05
    assert (pose[:, 3] > 0.8).all()
    assert pose[:, 4].abs().max() < 0.2


def test_gradients_reach_every_parameter() -> None:
    net = network()
    logits, pose = net.maps(torch.rand(2, 3, 32, 32))
    gradients = torch.autograd.grad(logits.square().sum() + pose.square().sum(), list(net.parameters()))
    assert all(gradient.any() for gradient in gradients)


@pytest.mark.parametrize("blocks", [1, 3])
def test_a_place_depends_on_the_radius_and_no_more(blocks: int) -> None:
    """With positive weights no path cancels another and no unit is dead."""
    net = network(FaceDetector.Config(width=4, blocks=blocks)).double().eval()
    for parameter in net.parameters():
        parameter.data.uniform_(0.5, 1.5).div_(parameter[0].numel() if parameter.ndim > 1 else 10)
    middle = net.radius // STRIDE + 2
    image = torch.rand(1, 3, STRIDE * (2 * middle + 1), STRIDE, dtype=torch.float64, requires_grad=True)
    logits, pose = net.maps(image + 1)
    (gradient,) = torch.autograd.grad((logits + pose)[:, :, middle].sum(), image)
    seen = gradient.abs().sum((0, 1, 3)).nonzero().flatten()
    own = STRIDE * middle
    assert max(own - int(seen.min()), int(seen.max()) - (own + STRIDE - 1)) == net.radius


def test_the_default_is_small() -> None:
    assert FaceDetector().parameter_count() < 250_000
