from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from imgen.data.batch import Batch, Source
from imgen.data.open import open_data, open_items
from imgen.errors import UnknownNameError, UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten 8 x 8 images of two classes."""
    for number in range(10):
        path = tmp_path / "set" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)).save(path)
    return tmp_path / "set"


def test_batches_are_signed_and_say_whose_they_are(folder: Path) -> None:
    items, source = open_items([str(folder)], 8), open_data([str(folder)], 8, batch=4)
    assert (source.length, source.shape) == (10, items.shape)
    seen = [source.batch(index) for index in range(5)]
    assert sorted(torch.cat([batch.index for batch in seen]).tolist()) == sorted([*range(10)] * 2)
    for batch in seen:
        pixels, _ = items.pixels(batch.index.numpy())
        assert torch.equal(batch.image, pixels.float() / 127.5 - 1)
        assert batch.label.tolist() == items.labels[batch.index.numpy()].tolist()
        assert batch.label.dtype == torch.int64


def test_a_batch_may_be_larger_than_the_set(folder: Path) -> None:
    assert open_data([str(folder)], 8, batch=32).batch(0).image.shape == (32, 3, 8, 8)


def test_processes_share_the_order_of_one(folder: Path) -> None:
    whole = open_data([str(folder)], 8, batch=6, seed=1).batch(3)
    parts = [open_data([str(folder)], 8, batch=6, seed=1, rank=rank, world=3).batch(3) for rank in range(3)]
    for value, *shares in zip(whole, *parts, strict=True):
        assert torch.equal(torch.cat(shares), value)


class Numbered(Dataset[Batch]):
    def __init__(self, source: Source) -> None:
        self.source = source

    def __getitem__(self, index: int) -> Batch:
        return self.source.batch(index)


def test_workers_change_nothing(folder: Path) -> None:
    source = open_data([str(folder)], 8, batch=4, augment=["flip", "turn"])
    loader = DataLoader(Numbered(source), batch_size=None, sampler=range(4), num_workers=2)
    for index, batch in enumerate(loader):
        for value, expected in zip(batch, source.batch(index), strict=True):
            assert torch.equal(value, expected)


def test_augmentation_differs_from_batch_to_batch(folder: Path) -> None:
    plain = open_data([str(folder)], 8, batch=10)
    source = open_data([str(folder)], 8, batch=10, augment=["turn"])
    changed, again = source.batch(0), source.batch(1)
    assert torch.equal(changed.index, plain.batch(0).index)
    assert not torch.equal(changed.image, plain.batch(0).image)
    assert not torch.equal(changed.image[changed.index.argsort()], again.image[again.index.argsort()])


def test_opens_tables_idx_files_and_toys(folder: Path) -> None:
    table = folder / "set.csv"
    table.write_text("file,kind\na/0.png,x\nb/1.png,y\n")
    assert open_data([str(table)], 8, batch=2, column="kind").shape.classes == 2
    assert open_data(["toy:ring"], batch=2).batch(0).image.shape == (2, 2)
    assert open_data(["toy:shapes"], 16, batch=2, channels=1).batch(0).image.shape == (2, 1, 16, 16)


def test_of_a_folder_of_idx_files_the_training_set_is_taken(tmp_path: Path) -> None:
    for name, count in (("train", 3), ("t10k", 2)):
        header = bytes([0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 8, 0, 0, 0, 8])
        (tmp_path / f"{name}-images-idx3-ubyte").write_bytes(header + bytes(64 * count))
    assert open_data([str(tmp_path)], batch=2).length == 3
    (tmp_path / "train-images-idx3-ubyte").rename(tmp_path / "other-images-idx3-ubyte")
    with pytest.raises(UsageError, match=r"several sets.*t10k"):
        open_items([str(tmp_path)])


@pytest.mark.parametrize(
    ("names", "how", "message"),
    [
        ([], {}, "no data set is named"),
        (["nowhere"], {}, "nowhere: no such folder"),
        (["nowhere"], {"size": 48}, "power of two.*48"),
        (["nowhere"], {"channels": 4}, "channels is 4"),
        (["nowhere"], {"seed": -1}, "seed is -1"),
        (["toy:ring"], {"size": 8}, "points"),
        (["toy:ring"], {"augment": ["flip"]}, "no augmentation"),
        (["toy:shapes"], {"size": 24}, "power of two.*24"),
    ],
)
def test_refuses_what_makes_no_sense(names: list[str], how: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_data(names, batch=2, **how)  # type: ignore[arg-type]


def test_suggests_the_name_of_a_toy_set() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'ring'"):
        open_data(["toy:rings"], batch=2)
