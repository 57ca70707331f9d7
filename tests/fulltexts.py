"""Documents for the tests of full texts: a page as LaTeXML makes it, and PDFs good and bad, made here."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

DATA = Path(__file__).parent / "data" / "arxiv"
FILLER = "Every level was measured on eight GPUs for one hour, and the traces were aligned by their time stamps. "
ATLAS = (DATA / "pdf" / "1605.03814v2.pdf").read_bytes()
"""A CC BY 4.0 paper of 45 pages by the ATLAS Collaboration."""


def a_page(more: str = FILLER * 20, caption: str = "") -> bytes:
    """A page of arxiv.org/html with every part that LaTeXML writes, and `more` in its results."""
    page = (DATA / "html" / "latexml.html").read_text(encoding="utf-8")
    return page.replace("LONG", more).replace("CAPTION", caption).encode()


def a_pdf(*pages: Sequence[str], trailer: bytes = b"", catalog: bytes = b"<</Type/Catalog/Pages 2 0 R>>") -> bytes:
    """A PDF with these lines on its pages."""
    kids = b" ".join(b"%d 0 R" % (4 + 2 * number) for number in range(len(pages)))
    objects = [
        catalog,
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(pages)),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for number, lines in enumerate(pages):
        content = b"\n".join(_line(line, 780 - 12 * at) for at, line in enumerate(lines))
        resources = b"/Resources<</Font<</F1 3 0 R>>>>/MediaBox[0 0 600 800]"
        objects.append(b"<</Type/Page/Parent 2 0 R%s/Contents %d 0 R>>" % (resources, 5 + 2 * number))
        objects.append(stream(content))
    return assembled(objects, trailer)


def _line(text: str, y: int) -> bytes:
    escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)").encode("latin-1")
    return b"BT /F1 9 Tf 40 %d Td (%s) Tj ET" % (y, escaped)


def stream(content: bytes, extra: bytes = b"") -> bytes:
    """A stream object's body."""
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), extra, content)


def assembled(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """The objects, numbered from 1, with their cross-reference table."""
    document = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(document))
        document += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    start = len(document)
    document += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    document += b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF" % (size, trailer, start)
    return bytes(document)


def an_encrypted_pdf() -> bytes:
    """One whose password nobody knows: the check values are not those of any."""
    encryption = b"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>/ID[<00><00>]" % (b"ab" * 32, b"cd" * 32)
    return a_pdf(["Secret"], trailer=encryption)


def a_pdf_whose_pages_contain_themselves() -> bytes:
    """The page tree is its own child, and the object behind it too."""
    return assembled([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 900/Parent 2 0 R>>"])


def a_pdf_with_a_bomb(mebibytes: int = 1024) -> bytes:
    """A page whose content unpacks to very much: a million times the same line of text."""
    packer = zlib.compressobj(9)
    block = b"BT /F1 9 Tf 40 700 Td (Tick tock) Tj ET\n" * 25_000
    packed = b"".join(packer.compress(block) for _ in range(mebibytes)) + packer.flush()
    page = b"<</Type/Page/Parent 2 0 R/Resources<</Font<</F1 3 0 R>>>>/MediaBox[0 0 600 800]/Contents 5 0 R>>"
    return assembled(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[4 0 R]/Count 1>>",
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            page,
            stream(packed, b"/Filter/FlateDecode"),
        ]
    )
