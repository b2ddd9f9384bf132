import pytest
import torch

from imgen.data.augment import CHANGES, Augment
from imgen.errors import UnknownNameError

PIXELS = torch.randint(0, 256, (6, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("channels", [1, 3])
def test_follows_from_the_seed_and_from_nothing_else(name: str, channels: int) -> None:
    augment, pixels = Augment([name], 16), PIXELS[:, :channels]
    before = torch.get_rng_state()
    first = augment(pixels, (1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(7)
    assert torch.equal(augment(pixels, (1, 2)), first)
    assert not torch.equal(augment(pixels, (1, 3)), first)
    assert first.shape == pixels.shape
    assert first.dtype == torch.uint8


@pytest.mark.parametrize("name", CHANGES)
def test_changes_equal_images_differently(name: str) -> None:
    images = Augment([name], 16)(PIXELS[:1].expand(20, -1, -1, -1), (0,))
    assert len({image.numpy().tobytes() for image in images}) >= 2


def test_a_flip_mirrors_or_leaves_alone() -> None:
    for before, after in zip(PIXELS, Augment(["flip"], 16)(PIXELS, (0,)), strict=True):
        assert torch.equal(after, before) or torch.equal(after, before.flip(-1))


def test_nothing_asked_for_changes_nothing() -> None:
    assert Augment([], 16)(PIXELS, (0,)) is PIXELS


def test_takes_a_function_and_keeps_the_range() -> None:
    assert Augment([lambda image: image * 3 - 1], 16)(
        torch.tensor([[[[0, 85, 170]]]], dtype=torch.uint8), ()
    ).tolist() == [[[[0, 0, 255]]]]


def test_refuses_a_name_it_does_not_know() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'flip'"):
        Augment(["flop"], 16)
