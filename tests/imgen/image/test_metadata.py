"""What is carried beside the pixels: orientation, ICC, EXIF, XMP, resolution, JPEG quantisation."""

import io

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from imgen.image.file import Picture, probe, read, write
from imgen.image.metadata import Metadata

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"><dc:title>kept</dc:title>'
    b"<xmp:Thumbnails>secret</xmp:Thumbnails></rdf:Description></rdf:RDF></x:xmpmeta>"
)


def exif(orientation=1):
    block = Image.Exif()
    block[ExifTags.Base.Make] = "Maker"
    block[ExifTags.Base.Orientation] = orientation
    block.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2020:01:02 03:04:05"
    block.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    return block


def saved(image, format_, **options):
    stream = io.BytesIO()
    image.save(stream, format_, **options)
    return stream.getvalue()


def written(picture, format_, **options):
    stream = io.BytesIO()
    write(picture, stream, format=format_, **options)
    return stream.getvalue()


def photo(height=64, width=96, noise=4, seed=0):
    y, x = np.mgrid[:height, :width]
    planes = np.stack([128 + 90 * np.sin(x / 9 + k) * np.cos(y / (7 + k)) for k in range(3)], axis=2)
    planes += np.random.default_rng(seed).normal(0, noise, planes.shape)
    return planes.clip(0, 255).round().astype(np.uint8)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "PNG16", "TIFF16", "TIFF grey16"])
def test_every_orientation_is_applied_once(orientation, kind):
    small = np.arange(6).reshape(2, 3)
    stored = np.kron(small, np.ones((16, 16))).astype(np.uint8)[..., None] * np.array([40, 40, 40], np.uint8)
    turned = np.kron(
        {
            1: small,
            2: small[:, ::-1],
            3: small[::-1, ::-1],
            4: small[::-1],
            5: small.T,
            6: np.rot90(small, -1),
            7: small[::-1, ::-1].T,
            8: np.rot90(small),
        }[orientation],
        np.ones((16, 16)),
    )
    if kind.endswith("16"):
        pixels = stored.astype(np.uint16) * 257
        pixels = pixels[..., :1] if "grey" in kind else pixels
        block = exif(orientation).tobytes()
        data = written(Picture([pixels], "PNG", Metadata(exif=block)), kind.split("16")[0].split(" ")[0])
        tolerance = 0
    else:
        options = {"quality": 95} if kind in {"JPEG", "WEBP", "AVIF"} else {}
        data = saved(Image.fromarray(stored), kind, exif=exif(orientation), **options)
        tolerance = 8
    header, picture = probe(data), read(data)
    found = picture.pixels[..., 0] / (257 if kind.endswith("16") else 1)
    assert (header.height, header.width) == found.shape == turned.shape
    assert np.abs(found - turned * 40).max() <= tolerance
    assert Image.Exif.get(_loaded(picture.metadata.exif), ExifTags.Base.Orientation) is None
    again = read(written(picture, header.format))  # not turned a second time
    assert np.abs(again.pixels[..., 0] / (257 if kind.endswith("16") else 1) - found).max() <= tolerance


def _loaded(data):
    block = Image.Exif()
    block.load(data)
    return block


@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("target", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "PNG16", "TIFF16"])
def test_profile_exif_xmp_and_resolution_travel(source, target):
    block = exif(6)
    if source == "TIFF":
        block[700] = XMP
    options = {"icc_profile": SRGB, "exif": block.tobytes()}
    if source in {"JPEG", "WEBP", "AVIF"}:
        options["xmp"] = XMP
    if source in {"JPEG", "PNG", "TIFF"}:
        options["dpi"] = (300, 300)
    picture = read(saved(Image.fromarray(photo()), source, **options))
    format_ = target.removesuffix("16")
    if target != format_:
        picture = Picture([picture.pixels.astype(np.uint16) * 257], picture.format, picture.metadata)
    data = written(picture, format_)
    image = Image.open(io.BytesIO(data))
    assert image.info["icc_profile"] == SRGB
    block = image.getexif()
    assert block[ExifTags.Base.Make] == "Maker"
    assert ExifTags.Base.Orientation not in block
    assert block.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2020:01:02 03:04:05"
    assert block.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"
    if source != "PNG":
        xmp = read(data).metadata.xmp
        assert b"kept" in xmp
        assert b"Orientation" not in xmp
        assert b"secret" not in xmp
    if source in {"JPEG", "PNG", "TIFF"} and format_ in {"JPEG", "PNG", "TIFF"}:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    bare = Image.open(io.BytesIO(written(picture, format_, strip_metadata=True)))
    assert not {"icc_profile", "exif", "xmp"} & set(bare.info)
    assert image.size == bare.size == (64, 96)


@pytest.mark.parametrize("format_", ["TIFF", "PNG", "JPEG"])
def test_a_file_without_a_resolution_has_none(format_):
    assert read(written(Picture([photo()], "PNG", Metadata()), format_)).metadata.dpi is None


def test_xmp_travels_between_pngs():
    data = written(Picture([photo()], "PNG", Metadata(xmp=XMP)), "PNG")
    assert b"kept" in read(data).metadata.xmp


def test_the_thumbnail_which_shows_what_was_edited_away_is_dropped():
    thumbnail = saved(Image.fromarray(photo(16, 16)), "JPEG")
    tiff = b"II*\0\x08\0\0\0" + b"\x01\0" + b"\x0f\x01\x02\0\x04\0\0\0abc\0" + b"\x1a\0\0\0"
    ifd1 = b"\x02\0" + b"\x01\x02\x04\0\x01\0\0\0\x38\0\0\0" + b"\x02\x02\x04\0\x01\0\0\0"
    block = b"Exif\0\0" + tiff + ifd1 + len(thumbnail).to_bytes(4, "little") + b"\0\0\0\0" + thumbnail
    data = saved(Image.fromarray(photo()), "JPEG", exif=block)
    assert thumbnail in data
    again = written(read(data), "JPEG")
    assert thumbnail not in again
    assert Image.open(io.BytesIO(again)).getexif()[ExifTags.Base.Make] == "abc"


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("block", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0"])
def test_damaged_exif_is_dropped_and_the_image_read(block):
    data = saved(Image.fromarray(photo()), "JPEG", exif=block)
    assert read(data).pixels.shape == (64, 96, 3)
    assert probe(written(read(data), "JPEG")).width == 96


def test_a_cmyk_image_becomes_rgb_without_its_profile():
    rgb = Image.fromarray(photo())
    for format_ in ("JPEG", "TIFF"):
        picture = read(saved(rgb.convert("CMYK"), format_, icc_profile=SRGB))  # not a profile of CMYK: not used
        assert picture.pixels.shape == (64, 96, 3)
        assert picture.metadata.icc is None
        assert picture.metadata.jpeg is None
        assert np.abs(picture.pixels.astype(int) - photo()).mean() < 6
        assert Image.open(io.BytesIO(written(picture, format_))).mode == "RGB"


def test_a_lossless_webp_stays_lossless():
    pixels = np.dstack([photo(), np.repeat(np.arange(96, dtype=np.uint8)[None], 64, axis=0)])
    for options in ({"exact": True}, {"exact": True, "exif": exif(), "icc_profile": SRGB}):
        picture = read(saved(Image.fromarray(pixels), "WEBP", lossless=True, **options))
        assert picture.metadata.lossless
        assert np.array_equal(read(written(picture, "WEBP")).pixels, pixels)
    assert not read(saved(Image.fromarray(pixels), "WEBP")).metadata.lossless


def test_an_image_of_another_size_says_so_and_is_not_quantised_as_before():
    block = exif()
    block.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExifImageWidth] = 96
    block.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExifImageHeight] = 64
    metadata = read(saved(Image.fromarray(photo()), "JPEG", quality=10, exif=block)).metadata
    pixels = photo(128, 192, noise=0)
    data = written(Picture([pixels], "JPEG", metadata.resized(128, 192)), "JPEG")
    assert np.abs(read(data).pixels.astype(int) - pixels).mean() < 2
    with Image.open(io.BytesIO(data)) as image:
        ifd = image.getexif().get_ifd(ExifTags.IFD.Exif)
        assert image.getexif()[ExifTags.Base.Make] == "Maker"
    assert (ifd[ExifTags.Base.ExifImageWidth], ifd[ExifTags.Base.ExifImageHeight]) == (192, 128)
    assert ifd[ExifTags.Base.DateTimeOriginal] == "2020:01:02 03:04:05"
    assert ExifTags.Base.ImageWidth not in ifd
