"""Frame by frame: GIF, WebP, APNG, AVIF; pages of a TIFF."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from imgen.errors import ImageError
from imgen.image.file import Picture, probe, read, write
from imgen.image.metadata import Metadata


def noise(*shape, dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


def written(picture, format_=None):
    stream = io.BytesIO()
    write(picture, stream, format=format_)
    return stream.getvalue()


def squares(count=4, alpha=False):
    """A square that walks over a plain ground of few colours; frames differ, so that none is merged."""
    frames = []
    for index in range(count):
        frame = np.zeros((24, 32, 4), np.uint8)
        frame[..., :3] = [10, 20, 30]
        frame[4:12, index * 6 : index * 6 + 8, :3] = [200 - index, 100, index * 50]
        frame[..., 3] = 255
        if alpha:
            frame[14:, index * 3 : index * 3 + 5] = 0
        frames.append(frame if alpha else frame[..., :3].copy())
    return frames


@pytest.mark.parametrize("format_", ["GIF", "PNG", "WEBP"])
@pytest.mark.parametrize("alpha", [False, True])
def test_an_animation_comes_back_frame_by_frame(format_, alpha):
    frames = squares(alpha=alpha)
    metadata = Metadata(durations=(100, 200, 50, 1000), loop=3, lossless=True)
    data = written(Picture(frames, "GIF", metadata), format_)
    assert probe(data).frames == 4
    again = read(data)
    assert len(again.frames) == 4
    for found, frame in zip(again.frames, frames, strict=True):
        assert np.array_equal(found, frame)
    assert again.metadata.durations == metadata.durations
    assert again.metadata.loop == 3
    third = read(written(again))
    assert all(np.array_equal(a, b) for a, b in zip(third.frames, frames, strict=True))
    assert third.metadata == again.metadata


def test_an_avif_sequence():
    data = written(Picture(squares(), "GIF", Metadata(durations=(100, 200, 50, 1000))), "AVIF")
    again = read(data)
    assert [frame.shape for frame in again.frames] == [(24, 32, 3)] * 4
    assert again.metadata.durations == (100, 200, 50, 1000)


def test_the_default_image_of_an_animated_png_stays_outside_the_animation():
    images = [Image.fromarray(frame) for frame in squares()]
    stream = io.BytesIO()
    images[0].save(
        stream, "PNG", save_all=True, append_images=images[1:], default_image=True, duration=[70, 80, 90], loop=2
    )
    picture = read(stream.getvalue())
    again = read(written(picture))
    assert again.metadata.default_image
    assert again.metadata.durations[1:] == (70, 80, 90)
    assert again.metadata.loop == 2
    assert all(np.array_equal(a, b) for a, b in zip(again.frames, squares(), strict=True))


def test_an_edited_gif_keeps_all_pixels_outside_the_edit():
    colours = noise(256, 3, seed=1)
    stream = io.BytesIO()
    image = Image.fromarray(np.tile(np.arange(256, dtype=np.uint8), (64, 1)))
    image.putpalette(colours.tobytes())
    image.save(stream, "GIF")
    picture = read(stream.getvalue())
    before = picture.pixels.copy()
    assert np.array_equal(before[0], colours)
    picture.pixels[20:40, 100:120] = noise(20, 20, 3, seed=2)  # up to 400 colours more
    after = read(written(picture)).pixels
    outside = np.ones((64, 256), bool)
    outside[20:40, 100:120] = False
    assert np.array_equal(after[outside], before[outside])
    assert np.abs(after.astype(int) - picture.pixels)[~outside].mean() < 40


def test_a_photo_becomes_a_gif_of_256_colours():
    y, x = np.mgrid[:64, :96]
    pixels = np.stack([x * 2, y * 3, 255 - x], axis=2).astype(np.uint8)
    after = read(written(Picture([pixels], "PNG", Metadata()), "GIF")).pixels
    assert np.abs(after.astype(int) - pixels).mean() < 8
    assert len(np.unique(after.reshape(-1, 3), axis=0)) <= 256


def test_a_grey_gif_is_colour_in_all_frames():
    stream = io.BytesIO()
    images = [Image.fromarray(np.full((8, 8), level, np.uint8)) for level in (10, 200)]
    images[0].save(stream, "GIF", save_all=True, append_images=images[1:])
    assert [frame.shape for frame in read(stream.getvalue()).frames] == [(8, 8, 3)] * 2


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pages_of_a_tiff_may_differ_in_size_and_kind(dtype):
    pages = [
        noise(9, 7, 3, dtype=dtype),
        noise(5, 11, 1),
        noise(4, 4, 4, dtype=dtype, seed=3),
        noise(6, 6, 1, dtype=dtype),
    ]
    again = read(written(Picture(pages, "TIFF", Metadata())))
    assert again.format == "TIFF"
    assert all(np.array_equal(a, b) for a, b in zip(again.frames, pages, strict=True))
    assert again.metadata.durations == ()


def test_a_smaller_copy_inside_a_tiff_is_left_out():
    stream = io.BytesIO()
    page, small = Image.fromarray(noise(8, 8, 3)), Image.fromarray(noise(4, 4, 3))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    page.save(stream, "TIFF", save_all=True, append_images=[small])
    assert probe(stream.getvalue()).frames == 2
    assert len(read(stream.getvalue()).frames) == 1


def test_all_frames_together_are_measured_against_the_limit():
    data = written(Picture(squares(), "GIF", Metadata()))
    assert len(read(data, max_pixels=4 * 24 * 32).frames) == 4
    with pytest.raises(ImageError, match=r"32 x 24 x 4 frames is more than the limit of 3,071 pixels.*--max-pixels"):
        read(data, max_pixels=4 * 24 * 32 - 1)
    pages = written(Picture([noise(10, 10, 3)] * 3, "TIFF", Metadata()))
    with pytest.raises(ImageError, match="limit"):
        read(pages, max_pixels=299)


def test_a_16_bit_animation_is_refused():
    still = written(Picture([noise(4, 4, 3, dtype=np.uint16)], "PNG", Metadata()))
    control = b"acTL" + struct.pack(">II", 2, 0)
    chunk = struct.pack(">I", 8) + control + struct.pack(">I", zlib.crc32(control))
    with pytest.raises(ImageError, match="16-bit animation is not supported"):
        read(still[:33] + chunk + still[33:])
    with pytest.raises(ImageError, match="PNG holds 8 in an animation"):
        written(Picture([noise(4, 4, 3, dtype=np.uint16)] * 2, "PNG", Metadata()))
