"""Zotero's export as RDF: bibliographic entries among attachments, notes and collections."""

from __future__ import annotations

from lxml import etree

from shared.library.fields import paper, without_tags
from shared.library.values import Found, LikedPaper

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
DC = "{http://purl.org/dc/elements/1.1/}"
DCTERMS = "{http://purl.org/dc/terms/}"
BIB = "{http://purl.org/net/biblio#}"
Z = "{http://www.zotero.org/namespaces/export#}"
PRISM = "{http://prismstandard.org/namespaces/1.2/basic/}"
NO_PAPERS = frozenset(("attachment", "note", "annotation"))
IDS = (f"{PRISM}number", f"{Z}archiveID", f"{Z}number")


def read(document: bytes, found: Found) -> None:
    """Add the entries to what was found."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=True,  # one broken entry must not cost the others
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        found.wrong(f"is not well-formed XML: {str(error)[:200]}")
        return
    if root is None or root.tag != f"{RDF}RDF":
        found.wrong(f"is no Zotero RDF: expected <rdf:RDF>, got {_shown(root)}")
        return
    if root.getroottree().docinfo.internalDTD is not None:
        found.wrong("has a DOCTYPE, which Zotero's exports have not; it is not read")
        return
    for flaw in list(parser.error_log)[:1]:
        found.wrong(f"is not well-formed XML: {flaw.message[:200]}; what can be read is taken", flaw.line)
    for element in root:
        if _is_paper(element):
            found.add(_paper(element), f"the entry in line {element.sourceline}")


def _shown(root: etree._Element | None) -> str:
    return "nothing" if root is None else f"<{str(root.tag)[:80]}>"


def _is_paper(element: etree._Element) -> bool:
    """An entry says what it is; journals and series that others are part of, collections and files do not."""
    kind = element.findtext(f"{Z}itemType")
    if kind is None:
        return element.find(f"{DCTERMS}abstract") is not None
    return kind.strip() not in NO_PAPERS


def _paper(element: etree._Element) -> LikedPaper | None:
    address = element.get(f"{RDF}about") or ""
    told = [element.findtext(name) or "" for name in (f"{DC}description", f"{DC}coverage", f"{BIB}pages")]
    values = [value.text or "" for value in element.iterfind(f"{DC}identifier//{RDF}value")]
    values += [text.text or "" for text in element.iterfind(f"{DC}identifier")]
    numbers = [number.text or "" for name in IDS for number in element.iterfind(f".//{name}")]
    return paper(
        without_tags(_text(element, f"{DC}title")),
        without_tags(_text(element, f"{DCTERMS}abstract")),
        ids=(),
        mentions=[address, *values, *numbers, *told],
    )


def _text(element: etree._Element, name: str) -> str:
    """The field's own text, and that of any markup in it."""
    child = element.find(name)
    return "" if child is None else "".join(str(text) for text in child.itertext())
