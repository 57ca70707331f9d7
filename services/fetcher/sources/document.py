"""A document from outside as an XML tree: entities, network, size and encoding under control."""

from __future__ import annotations

import re

from lxml import etree

from shared.errors import Transient

MAX_DOCUMENT = 32 * 1024 * 1024


class UnusableDocument(Transient):
    """The source answered with something that is no announcement; it may do better in a while."""


def tree(document: bytes, *, content_type: str | None = None) -> etree._Element:
    """The root element; `UnusableDocument` says what is wrong."""
    _refuse(document, content_type)
    root = _read_or_mend(document)
    if root.getroottree().docinfo.internalDTD is not None:
        raise UnusableDocument(DOCTYPE)
    return root


DOCTYPE = "the document has a DOCTYPE; arXiv's feeds have none"
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_START = 4096


def _refuse(document: bytes, content_type: str | None) -> None:
    kind = f" ({content_type[:80]})" if content_type else ""
    if len(document) > MAX_DOCUMENT:
        raise UnusableDocument(f"the document is larger than {MAX_DOCUMENT} bytes")
    start = document[:_START].removeprefix(b"\xef\xbb\xbf")
    if not start.strip():
        raise UnusableDocument(f"the document is empty{kind}")
    if _HTML.match(start):
        raise UnusableDocument(f"got an HTML page instead of an XML feed{kind}")
    if not start.lstrip().startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
        what, more = _other(start)
        raise UnusableDocument(f"got {what} instead of an XML feed{kind}{more}")
    if b"<!DOCTYPE" in document[: _prolog_end(document)]:
        raise UnusableDocument(DOCTYPE)


_BINARY = {
    b"\x1f\x8b": ("a gzip file", ": unpack it first"),
    b"\xfd7zXZ": ("an xz file", ": unpack it first"),
    b"BZh": ("a bzip2 file", ": unpack it first"),
    b"\x28\xb5\x2f\xfd": ("a zstd file", ": unpack it first"),
    b"PK\x03\x04": ("a zip file", ": unpack it first"),
    b"%PDF-": ("a PDF", ""),
}


def _other(start: bytes) -> tuple[str, str]:
    """What begins like this, and what else there is to say of it."""
    for magic, told in _BINARY.items():
        if start.startswith(magic):
            return told
    if b"\x00" in start:
        return "binary data", ""
    return "text", f": {start.lstrip()[:80].decode('utf-8', 'replace').strip()!r}"


def _prolog_end(document: bytes) -> int:
    """Where the root element begins: `<` and a letter, which no declaration, comment or DOCTYPE starts with."""
    root = re.search(rb"<(?:rss|feed|OAI-PMH)\b", document)
    return root.start() if root else len(document)


def _read_or_mend(document: bytes) -> etree._Element:
    try:
        return _read(document)
    except etree.XMLSyntaxError as error:
        # One illegal character must not cost the whole day: mend what XML forbids, and try once more.
        try:
            return _read(_mended(document))
        except etree.XMLSyntaxError:
            raise UnusableDocument(f"not well-formed XML, perhaps cut off: {error.msg[:200]}") from None


def _read(document: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=True,  # a third of the parsing time is the indentation
    )
    root = etree.fromstring(document, parser)
    if root is None:
        raise UnusableDocument("the document has no root element")
    return root


_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(r"&(?:(?:amp|lt|gt|quot|apos);|#([0-9]{1,7});|#x([0-9a-fA-F]{1,6});)?")
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")


def _mended(document: bytes) -> bytes:
    """UTF-8 without the characters, and without the references, that XML 1.0 forbids."""
    text = document.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    text = _DECLARATION.sub("", text, count=1)
    return _ILLEGAL.sub("", _REFERENCE.sub(_legal_reference, text)).encode()


def _legal_reference(found: re.Match[str]) -> str:
    if found[0] == "&":
        return "&amp;"
    number = int(found[1]) if found[1] else int(found[2], 16) if found[2] else ord("&")
    return found[0] if number <= 0x10FFFF and not _forbidden(chr(number)) else ""


def _forbidden(character: str) -> bool:
    return _ILLEGAL.match(character) is not None
