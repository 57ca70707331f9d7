"""A library in any of its forms, told apart by how it begins."""

from __future__ import annotations

import codecs

from shared.library import bibtex, csl_json, zotero_rdf
from shared.library.values import MAX_LIBRARY, Found, Library


def read_library(document: bytes, name: str) -> Library:
    """The papers in a BibTeX, Zotero RDF or CSL JSON file.

    Never raises: what cannot be read is told in `problems`, each beginning with `name` and, where it is known, the
    line; all other entries are there.
    """
    found = Found(name)
    if len(document) > MAX_LIBRARY:
        found.wrong(f"is larger than {MAX_LIBRARY // 1024**2} MB; export a part of the library")
    elif not document.strip():
        found.wrong("is empty")
    else:
        _read(document, found)
    return found.library()


def _read(document: bytes, found: Found) -> None:
    text = _decoded(document, found)
    start = text[:4096].lstrip()
    if start.startswith("<"):
        if start[:200].lower().startswith(("<!doctype html", "<html")):
            found.wrong("is a web page, no library; use the address of the file itself")
        else:
            zotero_rdf.read(document, found)
    elif start.startswith(("[", "{")):
        csl_json.read(text, found)
    else:
        bibtex.read(text, found)


def _decoded(document: bytes, found: Found) -> str:
    """As UTF-8, or as UTF-16 where it says so; else as Windows-1252, which old programs write."""
    if document.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return document.decode("utf-16", "replace")
    try:
        return document.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = document.count(b"\n", 0, error.start) + 1
        found.wrong("is not UTF-8; it is read as Windows-1252", line)
        return document.decode("cp1252", "replace")
