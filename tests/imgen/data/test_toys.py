import numpy as np
import pytest
import torch

from imgen.data.toys import MIXTURES, SHAPES, Drawn, DrawnShapes, Mixture


@pytest.mark.parametrize("name", MIXTURES)
def test_points_have_the_mean_and_deviation_of_their_centre(name: str) -> None:
    mixture = MIXTURES[name]
    points, labels = mixture(np.random.default_rng(0), 20_000)
    centres = np.array(mixture.centres)
    assert points.shape == (20_000, mixture.shape.channels)
    shares = np.bincount(labels, minlength=len(centres)) / len(labels)
    assert shares == pytest.approx(np.full(len(centres), 1 / len(centres)), abs=0.015)
    noise = points - centres[labels]
    assert noise.mean(0) == pytest.approx(np.zeros(centres.shape[1]), abs=0.03 * mixture.deviation)
    assert noise.std(0) == pytest.approx(np.full(centres.shape[1], mixture.deviation), rel=0.02)


def test_the_ring_and_the_grid() -> None:
    ring, grid = np.array(MIXTURES["ring"].centres), np.array(MIXTURES["grid"].centres)
    assert np.hypot(*ring.T) == pytest.approx(np.full(8, 2.0))
    assert len(np.unique(grid, axis=0)) == 25
    assert (grid.min(), grid.max()) == (-4, 4)


def test_shapes_are_seen_on_their_ground_and_cover_their_area() -> None:
    images, labels = DrawnShapes(32)(np.random.default_rng(0), 300)
    assert images.shape == (300, 3, 32, 32)
    assert abs(images).max() <= 1
    contrast = images.max((2, 3)) - images.min((2, 3))
    assert contrast.min() > 0.45
    # The pixel of the ground is the commonest value; what differs from it is the shape.
    for kind, fills in enumerate((np.pi / 4, 1.0, 0.5)):  # of its bounding box
        found = []
        for image in images[labels == kind]:
            inside = abs(image[0] - np.median(image[0])) > 0.25 * np.ptp(image[0])
            rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
            found.append(inside.sum() / (np.ptp(rows) + 1) / (np.ptp(columns) + 1))
        assert np.median(found) == pytest.approx(fills, abs=0.08), SHAPES[kind]


def test_drawn_batches_are_a_function_of_their_number() -> None:
    source, again = (Drawn(MIXTURES["grid"], 8, seed=3) for _ in range(2))
    again.batch(0)
    assert torch.equal(source.batch(5).image, again.batch(5).image)
    assert not torch.equal(source.batch(5).image, source.batch(6).image)
    assert not torch.equal(source.batch(5).image, Drawn(MIXTURES["grid"], 8, seed=4).batch(5).image)
    assert source.batch(5).index.tolist() == list(range(40, 48))
    assert source.batch(5).image.dtype == torch.float32


@pytest.mark.parametrize("draw", [MIXTURES["ring"], DrawnShapes(8, 1)])
def test_processes_share_the_batch_of_one(draw: Mixture | DrawnShapes) -> None:
    whole = Drawn(draw, 6).batch(2)
    parts = [Drawn(draw, 6, rank=rank, world=2).batch(2) for rank in range(2)]
    for value, *shares in zip(whole, *parts, strict=True):
        assert torch.equal(torch.cat(shares), value)
