from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from imgen.engines.face_detection import FaceBatch, FaceDetection, FaceDetectionConfig, Targets, focal, targets
from imgen.networks.face_detector import FaceDetector

Train = Callable[..., list[dict[str, float]]]
CONFIG = FaceDetectionConfig()
NOTHING = (0.0, 0.0, 0.0, 0.0, 0.0)


def wanted(*faces: tuple[float, float, float, float, float], size: tuple[int, int] = (8, 8)) -> Targets:
    return targets(torch.tensor([faces]), size, CONFIG)


def test_the_target_of_a_face_says_where_it_is() -> None:
    given = wanted((30.0, 21.0, 40.0, 0.3, 1.0), NOTHING)
    assert (given.score == 1).nonzero().tolist() == [[0, 2, 3]]
    pose = torch.tensor([30 / 8 - 3.5, 21 / 8 - 2.5, 5.0, 0.3, 0.3])
    pose[2:] = torch.stack([pose[2].log(), pose[3].cos(), pose[4].sin()])
    assert torch.allclose(given.pose[0, :, 2, 3], pose)
    assert torch.allclose(given.pose[0, :2, 4, 4], pose[:2] - torch.tensor([1.0, 2.0]))
    assert given.known.all()
    beside = torch.tensor(-1 / (2 * (CONFIG.spread * 5) ** 2)).exp()
    assert torch.allclose(given.score[0, 2, [2, 4]], beside)
    assert given.weight[0, 2, 3] == 1
    assert not given.weight[0, 5:].any()


def test_two_faces_have_places_of_their_own() -> None:
    given = wanted((12.0, 12.0, 24.0, 0.0, 1.0), (44.0, 44.0, 48.0, 0.0, 1.0))
    assert (given.score == 1).nonzero().tolist() == [[0, 1, 1], [0, 5, 5]]
    assert torch.allclose(given.pose[0, 2, [1, 5], [1, 5]].exp(), torch.tensor([3.0, 6.0]))


@pytest.mark.parametrize(
    "face", [(28.0, 28.0, 12.0, 0.0, 1.0), (28.0, 28.0, 70.0, 0.0, 1.0), (28.0, 28.0, 40.0, 0.0, 0.0)]
)
def test_what_is_too_small_or_too_large_or_hidden_is_passed_over(
    face: tuple[float, float, float, float, float],
) -> None:
    given = wanted(face)
    assert not given.known[0, 3, 3]
    assert given.known[0, 0, 7]
    assert not given.weight.any()
    assert not (given.score == 1).any()


def test_what_is_much_too_large_is_no_face() -> None:
    given = wanted((28.0, 28.0, 200.0, 0.0, 1.0))
    assert given.known.all()
    assert not given.score.any()


def test_the_focal_loss_is_equation_1() -> None:
    logits = torch.tensor([[[0.4, -1.0], [2.0, 0.3]]])
    given = wanted(NOTHING, size=(2, 2))._replace(
        score=torch.tensor([[[1.0, 0.5], [0.0, 0.7]]]), known=torch.tensor([[[1.0, 1.0], [1.0, 0.0]]])
    )
    p = torch.sigmoid(logits[0])
    expected = -((1 - p[0, 0]) ** 2 * p[0, 0].log())
    expected = expected - 0.5**4 * p[0, 1] ** 2 * (1 - p[0, 1]).log() - p[1, 0] ** 2 * (1 - p[1, 0]).log()
    assert torch.allclose(focal(logits, given, 2, 4), expected)


def test_scenes_without_faces_and_sure_mistakes_have_finite_losses() -> None:
    for logit in (-200.0, 200.0):
        loss = focal(torch.full((1, 8, 8), logit), wanted(NOTHING), 2, 4)
        assert torch.isfinite(loss)


def discs(n: int = 4) -> FaceBatch:
    """Bright discs, of which the larger ones are 40 pixels high."""
    place = torch.stack(torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")) + 0.5
    middle = 20 + 24 * torch.rand(n, 2, 1, 1)
    high = 24 + 30 * torch.rand(n)
    distance = (place - middle).square().sum(1).sqrt()
    image = (high[:, None, None] / 2 - distance).clamp(0, 1)[:, None].expand(-1, 3, -1, -1)
    y, x = middle[:, :, 0, 0].unbind(1)
    return FaceBatch(image, torch.stack([x, y, high, torch.zeros(n), torch.ones(n)], 1)[:, None])


def test_discs_are_found_where_and_as_large_as_they_are(train: Train) -> None:
    torch.manual_seed(0)
    engine = FaceDetection(
        FaceDetector(FaceDetector.Config(width=16, blocks=1)), FaceDetectionConfig(learning_rate=5e-3)
    )
    batch = discs()
    before = {name: value.clone() for name, value in engine.named_parameters()}
    losses = train(engine, lambda: batch, 80)
    assert losses[-1]["detector"] < 0.2 * losses[0]["detector"]
    assert all(not torch.equal(value, before[name]) for name, value in engine.named_parameters())
    assert set(engine.terms()) == {"score", "place", "size", "roll"}
    logits, pose = engine.network.maps(batch.image)
    for each in range(4):
        best = int(logits[each, 0].argmax())
        row, column = divmod(best, 8)
        _check(pose[each, :, row, column], batch.faces[each, 0], row, column)


def _check(pose: Tensor, face: Tensor, row: int, column: int) -> None:
    found = torch.stack([8 * (column + 0.5 + pose[0]), 8 * (row + 0.5 + pose[1]), 8 * pose[2].exp()])
    assert (found - face[:3]).abs().max() < 6
