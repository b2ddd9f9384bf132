import pytest
import torch

from imgen.networks.conv import ConvDecoder, ConvEncoder
from imgen.networks.face_editor import FaceEditor
from imgen.networks.recogniser import SHARPNESS, Recogniser

CONFIG = Recogniser.Config(16, 3, code=8, width=4, classes=5)


@pytest.mark.parametrize("size", [8, 32])
@pytest.mark.parametrize("classes", [0, 3])
def test_codes_have_one_length_and_logits_are_cosines(size: int, classes: int) -> None:
    net = Recogniser(Recogniser.Config(size, 1, code=6, width=4, classes=classes)).eval()
    logits, (code,) = net(torch.randn(4, 1, size, size))
    assert logits.shape == (4, classes)
    assert torch.allclose(code.square().mean(1), torch.ones(4), atol=1e-5)
    assert logits.abs().max() <= SHARPNESS if classes else True


def test_a_code_along_a_class_gives_the_largest_logit_there_is() -> None:
    net = Recogniser(CONFIG).eval()
    image = torch.randn(1, 3, 16, 16)
    with torch.no_grad():
        net.directions[2] = 7 * net.code(image)[0]
        logits = net(image).logits
    assert logits[0, 2].item() == pytest.approx(SHARPNESS, rel=1e-5)


def test_gradients_reach_every_parameter() -> None:
    net = Recogniser(CONFIG)
    net(torch.randn(4, 3, 16, 16)).logits[:, 0].sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for name, p in net.named_parameters())


class TestFaceEditor:
    @staticmethod
    def parts() -> tuple[Recogniser, ConvEncoder, ConvDecoder]:
        torch.manual_seed(0)
        generator = ConvDecoder(ConvDecoder.Config(16, 3, 8 + 6, 4, 32))
        for weight in generator.parameters():
            weight.data *= 10  # as it begins, all that it makes is grey
        return Recogniser(CONFIG), ConvEncoder(ConvEncoder.Config(16, 3, 2 * 6, 4, 32)), generator

    def test_it_is_made_of_the_trained_networks(self) -> None:
        recogniser, encoder, generator = parts = self.parts()
        for part in parts:
            for module in part.modules():
                if isinstance(module, torch.nn.BatchNorm2d):  # as after some training
                    module.running_mean, module.running_var = torch.randn(2, module.num_features).abs()
                    torch.nn.init.normal_(module.bias)
        editor = FaceEditor.of(*parts).eval()
        for part in parts:
            part.eval()
        who, what = torch.rand(2, 3, 3, 16, 16)
        with torch.no_grad():
            made, first, second = editor(who, what, torch.ones(3, 2), torch.zeros(3, 14))
            assert torch.allclose(first, recogniser.code(2 * who - 1), atol=1e-5)
            assert torch.allclose(second, encoder(2 * what - 1)[:, :6], atol=1e-6)
            wanted = (generator(torch.cat([first, second], 1)) + 1) / 2
        assert torch.allclose(made, wanted, atol=1e-4)
        assert editor.config == FaceEditor.Config(16, 3, 8, 6, 4, 4, 4)

    def test_codes_can_be_replaced_and_shifted(self) -> None:
        editor = FaceEditor.of(*self.parts()).eval()
        who, what, other = torch.rand(3, 2, 3, 16, 16)
        ones, zeros = torch.ones(2, 2), torch.zeros(2, 14)
        with torch.no_grad():
            wanted, first, second = editor(who, what, ones, zeros)
            replaced, *_ = editor(other, other, torch.zeros(2, 2), torch.cat([first, second], 1))
            assert torch.allclose(replaced, wanted, atol=1e-4)
            keep = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
            kept, *_ = editor(who, other, keep, torch.cat([torch.zeros_like(first), second], 1))
            assert torch.allclose(kept, wanted, atol=1e-4)
            shifted, *_ = editor(who, what, ones, zeros + 0.5)
        assert (shifted - wanted).abs().mean() > 0.01

    def test_the_identity_depends_on_one_picture_and_the_attributes_on_the_other(self) -> None:
        editor = FaceEditor.of(*self.parts()).eval()
        who, what = torch.rand(2, 1, 3, 16, 16).requires_grad_()
        ones, zeros = torch.ones(1, 2), torch.zeros(1, 14)
        _, first, second = editor(who, what, ones, zeros)
        assert torch.autograd.grad(first.square().sum() + first.sum(), what, allow_unused=True, retain_graph=True) == (
            None,
        )
        assert torch.autograd.grad(second.sum(), who, allow_unused=True) == (None,)
