import io

import torch
from torch import Tensor

from imgen.engines.pool import Pool


def numbered(first: int, count: int = 1) -> Tensor:
    """Images of one pixel that say which they are."""
    return torch.arange(first, first + count).float()[:, None, None, None]


def numbers(images: Tensor) -> list[int]:
    return [int(image.item()) for image in images]


def test_the_first_images_are_returned_as_they_are() -> None:
    pool = Pool(50)
    assert numbers(pool.swap(numbered(0, 30))) == list(range(30))
    assert numbers(pool.swap(numbered(30, 20))) == list(range(30, 50))


def test_then_half_of_them_are_older_ones_that_give_up_their_place() -> None:
    torch.manual_seed(0)
    pool = Pool(50)
    pool.swap(numbered(0, 50))
    given, returned = [], []
    for number in range(50, 2050):
        (got,) = numbers(pool.swap(numbered(number)))
        given.append(number)
        returned.append(got)
    older = [got for got, new in zip(returned, given, strict=True) if got != new]
    assert 900 < len(older) < 1100
    assert len(set(returned)) == len(returned)  # what was given back has left
    kept = {int(image.item()) for image in pool.images}
    assert kept | set(returned) == set(range(2050))
    assert len(kept) == 50


def test_without_a_pool_all_are_new() -> None:
    pool = Pool(0)
    for number in range(20):
        assert numbers(pool.swap(numbered(number))) == [number]


def test_what_it_returns_has_no_gradient_and_is_no_view_of_what_it_keeps() -> None:
    pool = Pool(3)
    images = torch.rand(2, 1, 1, 1, requires_grad=True) * 2
    returned = pool.swap(images)
    assert not returned.requires_grad
    returned.zero_()
    assert all(image.item() for image in pool.images)


def test_a_checkpoint_holds_it() -> None:
    torch.manual_seed(0)
    first, second = Pool(5), Pool(5)
    first.swap(numbered(0, 12))
    buffer = io.BytesIO()
    torch.save({"state": first.state_dict(), "random": torch.get_rng_state()}, buffer)
    wanted = numbers(first.swap(numbered(12, 20)))
    buffer.seek(0)
    saved = torch.load(buffer, weights_only=True)
    second.load_state_dict(saved["state"])
    torch.set_rng_state(saved["random"])
    assert numbers(second.swap(numbered(12, 20))) == wanted
    assert sorted(wanted) != list(range(12, 32))
