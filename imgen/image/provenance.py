"""What a file says of how its picture came about, in EXIF and XMP: that a program has edited what it shows."""

import re
from html import escape

from PIL import ExifTags, Image

_SEPARATOR = "; "  # between the programs that an image has been through
_KIND = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC's name for a picture in part made by a network: of the DigitalSourceType in its Photo Metadata Standard."""

_TOOL = re.compile(rb'\s*xmp:CreatorTool="([^"]*)"|<xmp:CreatorTool>([^<]*)</xmp:CreatorTool>')
_OLD_KIND = re.compile(
    rb'\s*Iptc4xmpExt:DigitalSourceType="[^"]*"|<Iptc4xmpExt:DigitalSourceType[^>]*/>|'
    rb"<Iptc4xmpExt:DigitalSourceType>[^<]*</Iptc4xmpExt:DigitalSourceType>"
)
_END = b"</rdf:RDF>"
_EMPTY = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' + _END + b'</x:xmpmeta><?xpacket end="w"?>'
)


def exif_naming(text: str, exif: bytes | None) -> bytes:
    """An EXIF block whose Software says ``text``, after what it said; all else as it was."""
    block = Image.Exif()
    if exif:
        block.load(exif)
    said = str(block.get(ExifTags.Base.Software, "")).strip("\0 ")
    block[ExifTags.Base.Software] = _after(said, text)
    return block.tobytes()


def xmp_naming(text: str, xmp: bytes | None) -> bytes:
    """An XMP packet whose CreatorTool says ``text``, after what it said, and whose DigitalSourceType is edited by AI.

    What else it holds stays as it was; a packet without an end is replaced.
    """
    packet = xmp if xmp and _END in xmp else _EMPTY
    found = _TOOL.search(packet)
    said = (found[1] or found[2] or b"").decode(errors="replace") if found else ""
    packet = _OLD_KIND.sub(b"", _TOOL.sub(b"", packet))
    about = (
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
        f"<xmp:CreatorTool>{_after(said, escape(text))}</xmp:CreatorTool>"
        f"<Iptc4xmpExt:DigitalSourceType>{_KIND}</Iptc4xmpExt:DigitalSourceType></rdf:Description>"
    )
    before, end, after = packet.rpartition(_END)
    return before + about.encode() + end + after


def _after(said: str, text: str) -> str:
    """What was said and then a text; once."""
    return said if text in said.split(_SEPARATOR) else _SEPARATOR.join(filter(None, (said, text)))
