"""Images written band by band: the same pixels as written at once, with little in memory."""

import io
import threading
import weakref

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from imgen.errors import ImageError, UsageError
from imgen.image import bmp, encode, png, tiff
from imgen.image.bands import STREAMED, write_bands
from imgen.image.file import Picture, read, suffix_for, write
from imgen.image.metadata import Metadata
from imgen.image.strips import encoded, layout_of

PLAIN = Metadata()
CODINGS = [
    {"quality": 30},
    {"subsampling": 1},
    {"quality": 75, "subsampling": 2},
    {"quality": 60, "subsampling": 2, "progressive": True},
    {"keep_rgb": True},
]


@pytest.fixture(autouse=True)
def _several_strips(monkeypatch):
    for module in (png, tiff, bmp):
        monkeypatch.setattr(module, "_STRIP_BYTES", 1500)


def photo(height=100, width=75, channels=3, dtype=np.uint8):
    y, x = np.mgrid[:height, :width]
    planes = np.stack([0.5 + 0.4 * np.sin(x / 9 + 2 * k) * np.cos(y / (7 + k)) for k in range(channels)], axis=2)
    planes += np.random.default_rng(0).normal(0, 0.02, planes.shape)
    return (planes.clip(0, 1) * np.iinfo(dtype).max).round().astype(dtype)


def opaque(pixels):
    if pixels.shape[2] in {2, 4}:
        pixels[..., -1] = np.iinfo(pixels.dtype).max
    return pixels


def bands_of(pixels, *heights):
    """Bands of the given heights, the last repeated."""
    top, heights = 0, list(heights)
    while top < len(pixels):
        height = heights.pop(0) if len(heights) > 1 else heights[0]
        yield pixels[top : top + height].copy()
        top += height


def announced(pixels, format_, metadata=PLAIN, **options):
    height, width, channels = pixels.shape
    size = {"height": height, "width": width, "channels": channels, "dtype": pixels.dtype}
    return size | {"source": metadata, "format": format_} | options


def in_bands(pixels, format_, *heights, metadata=PLAIN, **options):
    stream = io.BytesIO()
    write_bands(bands_of(pixels, *heights), stream, **announced(pixels, format_, metadata, **options))
    return stream.getvalue()


def at_once(pixels, format_, metadata=PLAIN, **options):
    stream = io.BytesIO()
    write(Picture([pixels], format_, metadata), stream, format=format_, **options)
    return stream.getvalue()


@pytest.mark.parametrize("heights", [(7,), (1, 40, 2, 33), (1000,)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("format_", sorted(STREAMED))
def test_the_pixels_are_those_of_the_image_written_at_once(format_, channels, dtype, heights):
    pixels = photo(channels=channels, dtype=dtype)
    if format_ in encode.OPAQUE:
        pixels = opaque(pixels)
    ours, theirs = read(in_bands(pixels, format_, *heights)), read(at_once(pixels, format_))
    assert ours.pixels.dtype == theirs.pixels.dtype
    assert np.array_equal(ours.pixels, theirs.pixels)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (17, 5), (16, 16)])
@pytest.mark.parametrize("format_", sorted(STREAMED))
def test_any_size(format_, size):
    pixels = photo(*size)
    assert np.array_equal(read(in_bands(pixels, format_, 3)).pixels, read(at_once(pixels, format_)).pixels)


@pytest.mark.parametrize(
    ("format_", "channels"), [(format_, channels) for format_ in sorted(STREAMED) for channels in (1, 3)] + [("PNG", 4)]
)
def test_opencv_reads_the_same(format_, channels):
    pixels = photo(channels=channels)
    data = in_bands(pixels, format_, 30)
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED).reshape(100, 75, -1)
    if decoded.shape[2] >= 3:
        decoded[..., :3] = decoded[..., 2::-1].copy()
    assert np.abs(decoded.astype(int) - read(data).pixels).max() <= (3 if format_ == "JPEG" else 0)


@pytest.mark.parametrize("options", CODINGS)
def test_a_jpeg_is_coded_as_its_source_was(options):
    pixels, stream = photo(330, 75), io.BytesIO()  # more strips than there are kinds of restart markers
    Image.fromarray(photo(64, 64)).save(stream, "JPEG", **options)
    metadata = read(stream.getvalue()).metadata
    for quality in (None, 40):
        ours = read(in_bands(pixels, "JPEG", 100, metadata=metadata, quality=quality))
        theirs = read(at_once(pixels, "JPEG", metadata=metadata, quality=quality))
        assert ours.metadata.jpeg.tables == theirs.metadata.jpeg.tables
        assert ours.metadata.jpeg.subsampling == theirs.metadata.jpeg.subsampling
        assert np.array_equal(ours.pixels, theirs.pixels)


@pytest.mark.parametrize("strip_metadata", [False, True])
@pytest.mark.parametrize("format_", sorted(STREAMED))
def test_the_same_metadata_go_along(format_, strip_metadata):
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Maker"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    metadata = Metadata(icc=profile, exif=exif.tobytes(), xmp=b"<x:xmpmeta>kept</x:xmpmeta>", dpi=(300, 200))
    ours, theirs = (
        Image.open(io.BytesIO(way(photo(), format_, *more, metadata=metadata, strip_metadata=strip_metadata)))
        for way, more in ((in_bands, (20,)), (at_once, ()))
    )
    for key in ("icc_profile", "dpi", "exif", "xmp"):
        assert ours.info.get(key) == theirs.info.get(key)
    assert dict(ours.getexif()).get(ExifTags.Base.Make) == dict(theirs.getexif()).get(ExifTags.Base.Make)
    assert ("icc_profile" in ours.info) == (not strip_metadata and format_ != "BMP")


def test_a_tiff_beyond_four_gigabytes_is_a_bigtiff(monkeypatch):
    monkeypatch.setattr(tiff, "_CLASSIC_BYTES", 10_000)
    small, large = in_bands(photo(10, 10), "TIFF", 4), in_bands(photo(), "TIFF", 30)
    assert (small[2], large[2]) == (42, 43)
    assert np.array_equal(read(large).pixels, photo())
    decoded = cv2.imdecode(np.frombuffer(large, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(decoded[..., ::-1], photo())


def test_a_png_is_about_as_small_as_pillow_makes_it(monkeypatch):
    monkeypatch.undo()
    pixels = cv2.GaussianBlur(photo(400, 600), (0, 0), 2)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    assert len(in_bands(pixels, "PNG", 100)) < 1.15 * len(stream.getvalue())


@pytest.mark.parametrize(
    ("size", "format_", "options", "error"),
    [
        ((10, 65501), "JPEG", {}, ImageError),
        ((65501, 10), "JPEG", {}, ImageError),
        ((40000, 40000), "BMP", {}, ImageError),
        ((10, 10), "JPEG", {"quality": 101}, UsageError),
    ],
)
def test_what_the_format_cannot_hold_is_refused_before_a_band_is_made(tmp_path, size, format_, options, error):
    target = tmp_path / f"x{suffix_for(format_)}"
    shape = {"height": size[0], "width": size[1], "channels": 3, "dtype": np.uint8}

    def bands():
        raise AssertionError("made")
        yield

    with pytest.raises(error, match=r"too large|quality"):
        write_bands(bands(), target, **shape, source=PLAIN, format=format_, **options)
    assert not list(tmp_path.iterdir())


def test_transparency_is_refused_where_there_is_no_place_for_it():
    with pytest.raises(ImageError, match="transparency"):
        in_bands(photo(channels=4), "JPEG", 30)


@pytest.mark.parametrize("wrong", [photo()[:99], photo(101), photo(100, 74), photo(dtype=np.uint16), photo(channels=4)])
def test_bands_must_make_the_image_announced(tmp_path, wrong):
    with pytest.raises(ValueError, match="height=100, width=75"):
        write_bands(bands_of(wrong, 30), tmp_path / "x", **announced(photo(), "PNG"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("error", [KeyboardInterrupt, ImageError])
@pytest.mark.parametrize("format_", sorted(STREAMED))
def test_a_failure_half_way_leaves_the_file_as_it_was(tmp_path, format_, error):
    target = tmp_path / "x"
    target.write_bytes(b"before")

    def bands():
        yield photo()[:50]
        raise error

    with pytest.raises(error):
        write_bands(bands(), target, **announced(photo(), format_))
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"]


def test_at_most_two_bands_are_in_memory():
    alive, most = weakref.WeakSet(), 0

    class Band(np.ndarray):
        __hash__ = object.__hash__

    def bands():
        nonlocal most
        for _ in range(20):
            band = np.full((10, 75, 3), 9, np.uint8).view(Band)
            alive.add(band)
            most = max(most, len(alive))
            yield band
            del band

    write_bands(bands(), io.BytesIO(), **announced(photo(200), "PNG"))
    assert most == 2


def test_a_band_is_encoded_while_the_next_is_made():
    second = threading.Event()

    def bands():
        yield photo()[:50]
        second.set()
        yield photo()[50:]

    assert list(encoded(bands(), layout_of(photo()), 25, lambda strip: second.wait(10))) == [True] * 4


def test_a_pipe_will_do():
    class Pipe:
        def __init__(self):
            self.data = b""

        def write(self, data):
            self.data += bytes(data)

    for format_ in STREAMED:
        pipe = Pipe()
        write_bands(bands_of(photo(), 30), pipe, **announced(photo(), format_))
        assert pipe.data == in_bands(photo(), format_, 30)
