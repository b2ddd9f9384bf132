import pytest
import torch
from torch import Tensor

from imgen.networks.efficientnet import EfficientNetLite0
from imgen.networks.projected import ProjectedDiscriminator, Sight


@pytest.fixture(scope="module")
def trunk() -> EfficientNetLite0:
    return EfficientNetLite0.pretrained()


def network(trunk: EfficientNetLite0, outputs: int = 1) -> ProjectedDiscriminator:
    torch.manual_seed(0)
    return ProjectedDiscriminator(ProjectedDiscriminator.Config(4, outputs), Sight(trunk))


@pytest.mark.parametrize("size", [32, 64, 128])
def test_scores_come_from_features_of_4_x_4_parts(trunk: EfficientNetLite0, size: int) -> None:
    net = network(trunk, 5)
    scored = net(torch.rand(2, 3, size, size) * 2 - 1)
    (seen,) = scored.features
    assert seen.shape == (2, 16, 4, 4)
    torch.testing.assert_close(scored.logits, net.score(seen).flatten(1))
    assert scored.logits.shape == (2, 5)


def test_only_the_projections_and_the_score_are_learnt_and_stored(trunk: EfficientNetLite0) -> None:
    net = network(trunk)
    assert {name.split(".")[0] for name in net.state_dict()} == {"project", "score"}
    image = torch.rand(2, 3, 32, 32).requires_grad_()
    net(image).logits.sum().backward()
    assert image.grad is not None
    assert image.grad.any()  # what makes images learns by it
    assert all(value.grad is not None for value in net.parameters())
    assert all(value.grad is None for value in trunk.parameters())


def test_two_networks_look_once_at_the_same_images(trunk: EfficientNetLite0) -> None:
    looks: list[Tensor] = []
    handle = trunk.register_forward_hook(lambda _module, inputs, _outputs: looks.append(inputs[0]))
    sight = Sight(trunk)
    judge, chooser = (ProjectedDiscriminator(ProjectedDiscriminator.Config(4, n), sight) for n in (1, 3))
    first, second = torch.rand(2, 1, 3, 32, 32)
    for image in (first, second):
        judge(image)
        chooser(image)
    with torch.no_grad():
        judge(second)
    assert judge(second).logits.requires_grad
    handle.remove()
    assert len(looks) == 4  # and again with a graph, where there was none
    assert (looks[0].min(), looks[0].max()) >= (0.5, 0.5)  # of 0..1
