import pytest
import torch

from imgen.losses.centres import Centres, ClassCentres, centre_match


def test_values_are_averages_of_batch_means() -> None:
    centres = ClassCentres(3, 2, decay=0.9)
    first = torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 8.0]])
    values, present = centres(first, torch.tensor([0, 0, 2]))
    assert values.tolist() == [[2, 0], [0, 0], [0, 8]]  # the first mean is taken as it is
    assert present.tolist() == [True, False, True]
    values, present = centres(torch.tensor([[12.0, 10.0], [5.0, 5.0]]), torch.tensor([0, -1]))
    assert values[0].tolist() == pytest.approx([0.9 * 2 + 0.1 * 12, 0.1 * 10])
    assert values[2].tolist() == [0, 8]  # absent: as it was
    assert present.tolist() == [True, False, False]  # -1 belongs to no class


def test_the_gradient_is_that_of_the_mean() -> None:
    centres = ClassCentres(1, 3, decay=0.9)
    centres(torch.zeros(4, 3), torch.zeros(4, dtype=torch.long))
    features = torch.randn(4, 3, requires_grad=True)
    values, _ = centres(features, torch.zeros(4, dtype=torch.long))
    assert torch.allclose(values, 0.1 * features.mean(0, keepdim=True))
    (grad,) = torch.autograd.grad(values.sum(), features)
    assert torch.allclose(4 * grad, torch.ones(4, 3))  # and not 0.1


def test_matching_against_a_loop() -> None:
    torch.manual_seed(0)
    real, fake = ClassCentres(4, 3), ClassCentres(4, 3)
    x, y = torch.randn(8, 3), torch.randn(8, 3, requires_grad=True)
    of_x, of_y = torch.tensor([0, 0, 1, 1, 2, 2, 2, 0]), torch.tensor([0, 1, 1, 1, 3, 3, 0, 0])
    loss = centre_match(fake(y, of_y), real(x, of_x))
    wanted = sum(
        (x[of_x == c].mean(0) - y[of_y == c].mean(0)).square().sum() / 2 for c in (0, 1)
    )  # class 2 is in x alone, 3 in y alone
    assert torch.allclose(loss, torch.as_tensor(wanted))
    (grad,) = torch.autograd.grad(loss, y)
    assert not grad[of_y == 3].any()
    assert grad[of_y == 0].any()


def test_equal_centres_match_even_if_samples_differ() -> None:
    spread = torch.tensor([[1.0], [-1.0]])
    label = torch.zeros(2, dtype=torch.long)
    assert centre_match(ClassCentres(1, 1)(spread, label), ClassCentres(1, 1)(3 * spread, label)).item() == 0


def test_the_target_is_a_constant() -> None:
    a, b = torch.ones(1, 2, requires_grad=True), torch.zeros(1, 2, requires_grad=True)
    present = torch.tensor([True])
    grads = torch.autograd.grad(centre_match(Centres(a, present), Centres(b, present)), (a, b), allow_unused=True)
    assert grads[0] is not None
    assert grads[1] is None


def test_earlier_ones_are_those_before_the_batch_whose_gradient_they_have() -> None:
    centres = ClassCentres(1, 1, decay=0.5, earlier=True)
    label = torch.zeros(1, dtype=torch.long)
    given = [centres(torch.tensor([[value]]), label).values.item() for value in (4.0, 8.0, 8.0)]
    assert given == [4, 4, 6]  # there is none before the first
    features = torch.tensor([[100.0]], requires_grad=True)
    values, _ = centres(features, label)
    (grad,) = torch.autograd.grad(values.sum(), features)
    assert (values.item(), grad.item()) == (7, 1)


def test_a_checkpoint_holds_it() -> None:
    centres, other = ClassCentres(2, 2), ClassCentres(2, 2)
    centres(torch.ones(1, 2), torch.tensor([1]))
    other.load_state_dict(centres.state_dict())
    batch = torch.zeros(1, 2), torch.tensor([1])
    assert torch.equal(centres(*batch).values, other(*batch).values)
    assert other.values[1].tolist() == pytest.approx([0.9, 0.9])
