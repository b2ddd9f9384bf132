"""Files that are missing, damaged, cut short or made to do harm: one line each, and quickly."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from imgen.errors import ImageError
from imgen.image import file
from imgen.image.file import Picture, probe, read, read_mask, write
from imgen.image.metadata import Metadata

FORMATS = ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "AVIF", "BMP"]


def example(format_, dtype=np.uint8):
    y, x = np.mgrid[:40, :60]
    pixels = np.stack([x * 4, y * 6, x + y], axis=2).astype(dtype) * (dtype(257) if dtype == np.uint16 else dtype(1))
    stream = io.BytesIO()
    write(Picture([pixels], format_, Metadata()), stream)
    return stream.getvalue()


def check_one_line(call, *args, match=None, **options):
    with pytest.raises(ImageError, match=match) as caught:
        call(*args, **options)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    return str(caught.value)


@pytest.mark.parametrize("call", [probe, read, read_mask])
def test_what_is_not_there_or_not_a_file(tmp_path, call):
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_bytes(b"just some words, not pixels")
    check_one_line(call, tmp_path / "none.png", match="none.png: no such file")
    check_one_line(call, tmp_path, match="is a directory")
    check_one_line(call, tmp_path / "empty.png", match="is empty")
    check_one_line(call, tmp_path / "text.png", match="not an image that imgen can read; it reads PNG, JPEG")
    check_one_line(call, tmp_path / ("n" * 300), match="cannot be opened")
    check_one_line(call, "a\0b", match="cannot be opened")
    check_one_line(call, b"", match="the image: is empty")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    check_one_line(read, tmp_path / "pipe", match="not a regular file")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_permission(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(example("PNG"))
    path.chmod(0)
    check_one_line(read, path, match="permission denied")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("format_", FORMATS)
def test_truncated_anywhere_is_refused(format_, dtype, capfd):
    if dtype == np.uint16 and format_ not in {"PNG", "TIFF"}:
        pytest.skip("holds 8 bits")
    data = example(format_, dtype)
    end = len(data) - (30 if format_ in {"PNG", "JPEG", "GIF"} else 3)  # an end marker may be missing
    for length in np.linspace(20, end, 12).astype(int):
        check_one_line(read, data[:length])
    assert capfd.readouterr().err == ""


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), format_=st.sampled_from(FORMATS), deep=st.booleans())
def test_damaged_anywhere_is_read_or_refused(data, format_, deep):
    whole = bytearray(example(format_, np.uint16 if deep and format_ in {"PNG", "TIFF"} else np.uint8))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(8, len(whole) - 1))] = data.draw(st.integers(0, 255))
    for call in (probe, lambda source: read(source, max_pixels=100_000)):
        try:
            call(bytes(whole))
        except ImageError as error:
            assert "\n" not in str(error)  # noqa: PT017


def png_of_size(width, height):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(10_001, 10_000), (30_000, 30_000), (2**31 - 1, 2**31 - 1), (10**9, 1)])
def test_a_bomb_is_refused_by_its_header(size):
    assert (probe(png_of_size(*size)).width, probe(png_of_size(*size)).height) == size
    check_one_line(read, png_of_size(*size), match=r"limit of 100,000,000 pixels; raise it with --max-pixels")


def test_the_limit_is_ours_and_not_pillows(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_100_000)
    stream = io.BytesIO()
    write(Picture([np.zeros((2048, 1200, 1), np.uint8)], "PNG", Metadata()), stream)
    assert read(stream.getvalue()).pixels.shape == (2048, 1200, 1)
    check_one_line(read, example("PNG"), max_pixels=2399, match="60 x 40 is more than the limit of 2,399")


def test_no_pixels():
    check_one_line(read, png_of_size(0, 5))


def test_a_format_that_could_run_programs_is_not_opened():
    check_one_line(
        read, b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", match="not an image that imgen can read"
    )


def test_a_failing_disk_leaves_nothing_and_names_the_reason(tmp_path, monkeypatch):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    picture = read(example("PNG"))
    for format_ in FORMATS:
        with pytest.raises(OSError, match="No space left"):
            file.encode(Full(), picture.frames, format_, picture.metadata, None)


def test_output_folder_missing_or_a_directory(tmp_path):
    picture = read(example("PNG"))
    (tmp_path / "d.png").mkdir()
    check_one_line(write, picture, tmp_path / "none" / "a.png", match="folder does not exist")
    check_one_line(write, picture, tmp_path / "d.png", match="is a directory")
    assert [p.name for p in tmp_path.iterdir()] == ["d.png"]
