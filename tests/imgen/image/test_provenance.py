"""What a file says of how its picture came about."""

import io
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import ExifTags, Image

from imgen.image.file import Picture, read, write
from imgen.image.metadata import Metadata

SAID = "edited with imgen face swap (imgen 1.0)"
KIND = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
TOOL, SOURCE = (
    "{http://ns.adobe.com/xap/1.0/}CreatorTool",
    "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType",
)
PIXELS = np.full((16, 16, 3), 90, np.uint8)


def packet(attributes: str = "", elements: str = "") -> bytes:
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        f'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" {attributes}>'
        f"<dc:title>kept</dc:title>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def properties(xmp: bytes | None) -> list[tuple[str, str]]:
    """All that a packet says, whichever way it is written."""
    assert xmp is not None
    found: list[tuple[str, str]] = []
    for description in ElementTree.fromstring(xmp.decode()).iter(f"{RDF}Description"):
        found += [(key, value) for key, value in description.items() if key != f"{RDF}about"]
        found += [(child.tag, child.text or "") for child in description]
    return found


def written(metadata: Metadata, format_: str, *, strip: bool = False) -> bytes:
    stream = io.BytesIO()
    write(Picture([PIXELS], "PNG", metadata), stream, format=format_, strip_metadata=strip)
    return stream.getvalue()


@pytest.mark.parametrize("strip", [False, True])
@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF"])
def test_every_format_carries_it_and_stripping_leaves_it(format_: str, strip: bool) -> None:
    data = written(Metadata(dpi=(300, 300)).edited_with(SAID), format_, strip=strip)
    assert Image.open(io.BytesIO(data)).getexif()[ExifTags.Base.Software] == SAID
    again = read(data).metadata
    assert sorted(properties(again.xmp)) == sorted([(TOOL, SAID), (SOURCE, KIND)])
    if format_ in ("PNG", "JPEG", "TIFF"):
        assert (again.dpi == pytest.approx((300, 300), abs=0.1)) != strip


def test_pictures_of_16_bits_and_gifs_carry_it_too() -> None:
    stream = io.BytesIO()
    write(Picture([PIXELS.astype(np.uint16) * 257], "PNG", Metadata().edited_with(SAID)), stream, format="png")
    assert Image.open(stream).getexif()[ExifTags.Base.Software] == SAID
    assert Image.open(io.BytesIO(written(Metadata().edited_with(SAID), "GIF"))).info["comment"] == SAID.encode()


def test_the_rest_of_exif_stays_and_what_was_there_is_named_first() -> None:
    block = Image.Exif()
    block[ExifTags.Base.Make], block[ExifTags.Base.Software] = "Maker", "Firmware 2"
    block.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2020:01:02 03:04:05"
    once = Metadata(exif=block.tobytes()).edited_with(SAID)
    for metadata in (once, once.edited_with(SAID)):  # said twice it is there once
        exif = Image.open(io.BytesIO(written(metadata, "JPEG"))).getexif()
        assert exif[ExifTags.Base.Make] == "Maker"
        assert exif[ExifTags.Base.Software] == f"Firmware 2; {SAID}"
        assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2020:01:02 03:04:05"
    bare = Image.open(io.BytesIO(written(once, "JPEG", strip=True))).getexif()
    assert dict(bare) == {ExifTags.Base.Software: SAID}


@pytest.mark.parametrize(
    ("attributes", "elements"),
    [
        ('xmp:CreatorTool="Editor &amp; Co" Iptc4xmpExt:DigitalSourceType="old"', ""),
        (
            "",
            "<xmp:CreatorTool>Editor &amp; Co</xmp:CreatorTool>"
            "<Iptc4xmpExt:DigitalSourceType>old</Iptc4xmpExt:DigitalSourceType>",
        ),
        (
            "",
            "<xmp:CreatorTool>Editor &amp; Co</xmp:CreatorTool>"
            '<Iptc4xmpExt:DigitalSourceType rdf:resource="http://old"/>',
        ),
    ],
)
def test_xmp_names_every_property_once_and_keeps_the_rest(attributes: str, elements: str) -> None:
    found = properties(Metadata(xmp=packet(attributes, elements)).edited_with(SAID).edited_with(SAID).xmp)
    title = ("{http://purl.org/dc/elements/1.1/}title", "kept")
    assert sorted(found) == sorted([title, (TOOL, f"Editor & Co; {SAID}"), (SOURCE, KIND)])


def test_a_packet_that_is_cut_short_is_replaced() -> None:
    found = properties(Metadata(xmp=packet()[:150]).edited_with("A & B <C>").xmp)
    assert (TOOL, "A & B <C>") in found
