"""Every format and mode, there and back."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from imgen.errors import ImageError, UnknownNameError, UsageError
from imgen.image.file import (
    SUFFIXES,
    Header,
    Picture,
    format_for,
    format_named,
    probe,
    read,
    read_mask,
    suffix_for,
    write,
)
from imgen.image.metadata import Metadata

LOSSLESS = ["PNG", "TIFF", "BMP"]


def noise(*shape, dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


def photo(height=64, width=96):
    """Smooth, as photographs mostly are."""
    y, x = np.mgrid[:height, :width]
    planes = [128 + 100 * np.sin(x / 9 + k) * np.cos(y / (7 + k)) for k in range(3)]
    return np.stack(planes, axis=2).round().astype(np.uint8)


def pillow_bytes(image, format_, **options):
    stream = io.BytesIO()
    image.save(stream, format_, **options)
    return stream.getvalue()


def written(picture, format_=None, **options):
    stream = io.BytesIO()
    write(picture, stream, format=format_, **options)
    return stream.getvalue()


def picture(pixels, format_="PNG"):
    return Picture([pixels], format_, Metadata())


@pytest.mark.parametrize("format_", LOSSLESS)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(1, 1), (1, 50), (37, 21)])
def test_lossless_formats_keep_every_bit(format_, channels, dtype, size):
    pixels = noise(*size, channels, dtype=dtype)
    if format_ == "BMP" and (channels in {2, 4} or dtype == np.uint16):
        with pytest.raises(ImageError, match="choose png"):
            written(picture(pixels, "BMP"))
        return
    again = read(written(picture(pixels), format_))
    if (format_, channels, dtype) == ("TIFF", 2, np.uint16):  # written as RGBA
        pixels = np.concatenate([pixels[..., [0, 0, 0]], pixels[..., 1:]], axis=2)
    if format_ == "BMP" and channels == 1:
        assert again.pixels.shape[2] == 1
    assert again.pixels.dtype == dtype
    assert np.array_equal(again.pixels, pixels)
    assert again.pixels.flags.writeable
    assert again.pixels.flags.c_contiguous
    assert again.format == format_


@pytest.mark.parametrize("format_", ["PNG", "TIFF"])
@pytest.mark.parametrize("channels", [3, 4])
def test_16_bit_colour_agrees_with_opencv(format_, channels):
    pixels = noise(13, 17, channels, dtype=np.uint16)
    swapped = pixels[..., [2, 1, 0, 3][:channels]]
    theirs = cv2.imencode(suffix_for(format_), np.ascontiguousarray(swapped))[1].tobytes()
    assert np.array_equal(read(theirs).pixels, pixels)
    ours = np.frombuffer(written(picture(pixels), format_), np.uint8)
    assert np.array_equal(cv2.imdecode(ours, cv2.IMREAD_UNCHANGED), swapped)


@pytest.mark.parametrize("format_", ["PNG", "TIFF"])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_what_we_write_pillow_reads(format_, mode):
    image = Image.fromarray(noise(9, 11, 4)).convert(mode)
    again = Image.open(io.BytesIO(written(read(pillow_bytes(image, "PNG")), format_)))
    assert again.mode == mode
    assert again.tobytes() == image.tobytes()


@pytest.mark.parametrize("format_", ["WEBP", "AVIF", "JPEG"])
def test_lossy_formats_come_close(format_):
    pixels = photo()
    again = read(written(picture(pixels), format_)).pixels
    assert np.abs(again.astype(int) - pixels).mean() < 3


def test_strange_modes_become_grey_or_colour():
    rgba = Image.fromarray(noise(8, 8, 4))
    rgb = rgba.convert("RGB")
    for image, channels in [(rgb.convert("1"), 1), (rgb.quantize(16), 3), (rgba.quantize(16), 4)]:
        pixels = read(pillow_bytes(image, "PNG")).pixels
        assert pixels.shape == (8, 8, channels)
        expected = image.convert({1: "L", 3: "RGB", 4: "RGBA"}[channels])
        assert np.array_equal(pixels.squeeze(), np.asarray(expected))


def test_a_transparent_colour_becomes_alpha():
    grey = np.array([[0, 7], [7, 255]], np.uint8)
    pixels = read(pillow_bytes(Image.fromarray(grey), "PNG", transparency=7)).pixels
    assert pixels[..., 1].tolist() == [[255, 0], [0, 255]]
    deep = read(pillow_bytes(Image.fromarray(grey.astype(np.uint16) * 9), "PNG", transparency=63)).pixels
    assert deep.dtype == np.uint16
    assert deep[..., 1].tolist() == [[65535, 0], [0, 65535]]


def test_16_bit_tiff_where_white_is_0():
    grey = noise(4, 4, dtype=np.uint16)
    data = pillow_bytes(Image.fromarray(grey), "TIFF", tiffinfo={262: 0})
    assert np.array_equal(read(data).pixels[..., 0], 65535 - grey)


def test_kinds_of_pixels_we_do_not_hold_are_refused():
    for kind in (np.float32, np.int32):
        with pytest.raises(ImageError, match="not supported; convert"):
            read(pillow_bytes(Image.fromarray(np.zeros((3, 3), kind)), "TIFF"))


def test_formats_by_name_and_suffix(tmp_path):
    assert format_named("jpg") == format_named("JPEG") == format_named(".jpe") == "JPEG"
    assert [suffix_for(name) for name in ("JPEG", "TIFF", "PNG")] == [".jpg", ".tif", ".png"]
    assert format_for(tmp_path / "a.JPG", None, "PNG") == "JPEG"
    assert format_for(tmp_path / "a", None, "PNG") == "PNG"
    assert format_for(tmp_path / "a.bin", "WEBP", "PNG") == "WEBP"
    with pytest.raises(UnknownNameError, match="did you mean 'jpeg'"):
        format_named("jpeeg")
    with pytest.raises(UsageError, match=r"does not write \.heic"):
        format_for(tmp_path / "a.heic", None, "PNG")
    with pytest.raises(UsageError, match="name says PNG and the format asked for is JPEG"):
        format_for(tmp_path / "a.png", "JPEG", "PNG")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_file_is_what_its_name_says(tmp_path, suffix):
    target = tmp_path / f"a{suffix}"
    write(picture(photo(), "BMP"), target)
    assert probe(target) == Header(SUFFIXES[suffix], 96, 64, 1)
    with Image.open(target) as image:
        assert image.format == SUFFIXES[suffix]
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_format_cannot_hold_is_refused_before_a_file_appears(tmp_path):
    clear = picture(noise(4, 4, 4))
    deep = picture(noise(4, 4, 3, dtype=np.uint16))
    wide = picture(np.zeros((1, 17000, 3), np.uint8))
    many = Picture([noise(4, 4, 3)] * 2, "GIF", Metadata())
    pages = Picture([noise(4, 4, 3)] * 2, "TIFF", Metadata())
    for what, name, words in [
        (clear, "a.jpg", "transparency, which JPEG cannot hold"),
        (clear, "a.gif", "translucent"),
        (deep, "a.jpg", "16 bits, JPEG holds 8; choose png or tiff, or say --format jpeg"),
        (wide, "a.webp", "too large for WEBP"),
        (many, "a.jpg", "2 frames, which JPEG cannot hold; choose gif"),
        (many, "a.tif", "2 frames, which TIFF cannot hold; choose gif"),
        (pages, "a.png", "2 frames, which PNG cannot hold; choose tiff"),
    ]:
        with pytest.raises(ImageError, match=words):
            write(what, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_16_bits_are_rounded_when_the_format_was_asked_for():
    deep = np.array([[[0], [128], [129], [65535]]], np.uint16)
    assert read(written(picture(deep), "bmp")).pixels.ravel().tolist() == [0, 0, 1, 255]


def test_alpha_that_hides_nothing_is_dropped_where_there_is_no_place():
    opaque = np.dstack([photo(), np.full((64, 96), 255, np.uint8)])
    assert np.array_equal(read(written(picture(opaque), "bmp")).pixels, photo())


def test_quality_and_its_range():
    low, high = (len(written(picture(photo()), "jpeg", quality=q)) for q in (20, 95))
    assert low < high / 2
    for quality in (0, 101):
        with pytest.raises(UsageError, match="1 to 100"):
            written(picture(photo()), "jpeg", quality=quality)


def test_sources_of_all_kinds(tmp_path):
    data = written(picture(photo()))
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with path.open("rb") as stream:
        for source in (path, str(path), data, stream):
            assert np.array_equal(read(source).pixels, photo())


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16"])
def test_masks_of_any_mode(mode):
    expected = np.zeros((6, 9), np.uint8)
    expected[2:4, 3:7] = 255
    if mode == "I;16":
        image = Image.fromarray(expected.astype(np.uint16) * 257)
    else:
        image = Image.fromarray(expected).convert("RGB").convert(mode)
    format_ = "TIFF" if mode == "CMYK" else "PNG"
    mask = read_mask(pillow_bytes(image, format_))
    assert mask.dtype == np.uint8
    assert np.array_equal(mask, expected)


@pytest.mark.parametrize("ink", [0, 90, 255])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_strokes_on_a_transparent_layer_are_a_mask(ink, dtype):
    full = np.iinfo(dtype).max
    layer = np.zeros((6, 9, 4), dtype)
    layer[2:4, 3:7] = full
    expected = layer[..., 3].astype(bool) * np.uint8(255)
    assert np.array_equal(read_mask(written(picture(layer))), expected)  # white on transparent black
    layer[..., :3] = ink  # a layer of one colour
    assert np.array_equal(read_mask(written(picture(layer))), expected)


def test_a_mask_of_colour_and_alpha_is_its_luminance():
    assert read_mask(written(picture(np.full((2, 2, 3), 200, np.uint8)))).tolist() == [[200, 200], [200, 200]]
    grey_alpha = np.array([[[255, 128], [0, 255]]], np.uint8)
    assert read_mask(written(picture(grey_alpha))).tolist() == [[128, 0]]
