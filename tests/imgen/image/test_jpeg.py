"""A JPEG read, edited and written: what nobody touched stays as it was."""

import io

import numpy as np
import pytest
from PIL import ExifTags, Image

from imgen.image.file import Picture, read, write
from imgen.image.metadata import Metadata


def photo(height=96, width=160, noise=4):
    """Smooth colours, edges and grain, without blacks and whites (which decoders clip)."""
    y, x = np.mgrid[:height, :width]
    planes = np.stack([120 + 60 * np.sin(x / 9 + 2 * k) * np.cos(y / (7 + k)) for k in range(3)], axis=2)
    planes[height // 3 :, width // 2 :, 0] += 40
    planes += np.random.default_rng(0).normal(0, noise, planes.shape)
    return planes.clip(20, 235).round().astype(np.uint8)


def jpeg(pixels, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", **options)
    return stream.getvalue()


def written(picture, **options):
    stream = io.BytesIO()
    write(picture, stream, format="JPEG", **options)
    return stream.getvalue()


def difference(a, b):
    return np.abs(a.pixels.astype(int) - b.pixels).max(axis=2)


@pytest.mark.parametrize("quality", [30, 75, 92])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_tables_subsampling_and_size_are_kept(quality, subsampling, progressive):
    data = jpeg(photo(), quality=quality, subsampling=subsampling, progressive=progressive)
    before = read(data)
    again = written(before)
    after = read(again)
    assert after.metadata.jpeg == before.metadata.jpeg
    assert len(again) == pytest.approx(len(data), rel=0.02)
    assert np.mean(difference(after, before) > 1) < (0.01 if subsampling != 1 else 0.2)  # samples of 4:2:2 are lost


@pytest.mark.parametrize("subsampling", [0, 2])
@pytest.mark.parametrize("quality", [60, 75, 85])
def test_blocks_nobody_touched_come_back_as_they_were(subsampling, quality):
    before = read(jpeg(photo(), quality=quality, subsampling=subsampling))
    after = read(written(before))
    assert not difference(after, before).any()


@pytest.mark.parametrize("size", [(95, 159), (17, 2), (2, 17), (1, 1), (1, 40)])
def test_only_blocks_cut_by_the_border_change(size):
    before = read(jpeg(photo(*size), quality=75, subsampling=2))
    after = read(written(before))
    whole = tuple(side // 16 * 16 - 1 for side in size)  # the last pixel's chroma is blended with its neighbour's
    assert not difference(after, before)[: max(whole[0], 0), : max(whole[1], 0)].any()
    assert difference(after, before).max() < 16


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_edit_changes_its_own_blocks_alone(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    picture = read(jpeg(photo(), quality=80, subsampling=2, exif=exif))
    before = picture.pixels.copy()
    picture.pixels[40:56, 40:56] = [250, 0, 0]
    after = read(written(picture)).pixels.astype(int)
    assert after.shape == before.shape
    far = np.ones(before.shape[:2], bool)
    far[30:66, 30:66] = False  # the edited blocks, and one chroma sample round them
    # Decoders round smoothed chroma up and down in turns, so a turned file decodes one chroma step off.
    assert np.mean(np.abs(after - before)[far] > (0 if orientation == 1 else 4)) < 0.01
    assert np.abs(after[42:54, 42:54] - [250, 0, 0]).mean() < 8


def test_an_edit_keeps_its_colours_as_well_as_ever():
    picture = read(jpeg(photo(), quality=90, subsampling=0))
    picture.pixels[:] = photo()[::-1]
    again = read(written(picture)).pixels
    assert np.abs(again.astype(int) - photo()[::-1]).mean() < 4


def test_a_jpeg_of_another_size_or_depth_than_was_read_is_simply_written():
    picture = read(jpeg(photo(), quality=75))
    for frame in (photo(48, 64), photo()[..., :1].copy(), photo().astype(np.uint16) * 257):
        again = read(written(Picture([frame], "JPEG", picture.metadata)))
        assert again.pixels.shape == frame.shape
        assert np.abs(again.pixels.astype(int) - frame // (257 if frame.dtype == np.uint16 else 1)).mean() < 6


def test_quality_overrides_the_tables():
    picture = read(jpeg(photo(), quality=90))
    assert (
        read(written(picture, quality=20)).metadata.jpeg.tables == read(jpeg(photo(), quality=20)).metadata.jpeg.tables
    )


def test_a_grey_jpeg():
    before = read(jpeg(photo()[..., 0], quality=60))
    assert np.mean(difference(read(written(before)), before) > 0) < 0.01


def test_a_jpeg_stored_as_rgb_stays_so():
    before = read(jpeg(photo(), quality=90, keep_rgb=True))
    after = read(written(before))
    assert after.metadata.jpeg.rgb
    assert np.mean(difference(after, before) > 1) < 0.01


def test_other_formats_become_a_jpeg_of_high_quality():
    coding = read(written(Picture([photo()], "PNG", Metadata()))).metadata.jpeg
    assert coding.subsampling == 0
    assert coding.tables == read(jpeg(photo(), quality=95)).metadata.jpeg.tables
