"""The rules of `like`: papers that one likes, by identifier or as a library's export."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from shared.toml_lines import Path
from shared.toml_reader import Reader, shown

MONTH = "(?:0[1-9]|1[0-2])"
FOUR_DIGITS = rf"(?:0[7-9]|1[0-4]){MONTH}\.\d{{4}}"  # until 2014
FIVE_DIGITS = rf"(?:1[5-9]|[2-8]\d){MONTH}\.\d{{5}}"
BEFORE_2007 = rf"[a-z]+(?:-[a-z]+)*(?:\.[A-Z]{{2}})?/(?:9\d|0[0-7]){MONTH}\d{{3}}"
IDENTIFIER = re.compile(rf"(?:{FIVE_DIGITS}|{FOUR_DIGITS}|{BEFORE_2007})(?:v[1-9]\d?)?")
VERSION = re.compile(r"v\d+$")
EXPORTS = (".bib", ".rdf", ".json")
KINDS = "BibTeX (.bib), Zotero RDF (.rdf) or CSL JSON (.json)"


def liked(reader: Reader, path: Path, value: Any) -> tuple[str, ...]:
    """The papers and libraries that a feed likes, each once."""
    if value == []:
        reader.wrong(path, 'is empty, so no paper is like it; write ["2401.01234"] or leave it out')
    first: dict[str, Path] = {}

    def read(at: Path, item: Any) -> str | None:
        found = _reference(reader, at, item)
        if found is None:
            return None
        earlier = first.setdefault(VERSION.sub("", found) if IDENTIFIER.fullmatch(found) else found, at)
        if earlier != at:
            reader.wrong(at, f"has {shown(found)} already; write it once", earlier=earlier)
        return found

    return reader.items(path, value, read)


def _reference(reader: Reader, path: Path, value: Any) -> str | None:
    text = reader.text(path, value)
    if not text:
        return None
    problem = _problem(text)
    if problem:
        reader.wrong(path, f"{shown(text)} {problem}")
        return None
    return text


def _problem(text: str) -> str:
    """What is wrong with a reference, and what to write."""
    if IDENTIFIER.fullmatch(text):
        return ""
    if close := _identifier_in(text):
        return f'is more than an arXiv identifier; write "{close}"'
    scheme, found, _ = text.partition("://")
    if found:
        return _problem_of_address(scheme.lower(), text)
    if not text.lower().endswith(EXPORTS):
        return f"is neither an arXiv identifier like 2401.01234 nor a file; write one, or a file of {KINDS}"
    if text.startswith("~"):
        return 'begins at a home folder; write the whole path, or one beside this file like "papers.bib"'
    return ""


def _problem_of_address(scheme: str, text: str) -> str:
    if scheme == "file":
        return 'is a file of this machine; write its path, like "papers.bib"'
    if scheme not in {"http", "https"}:
        return "is no address of the web; write one that begins with https://"
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or re.search(r"\s", text):
        return 'is no address; write one like "https://example.org/papers.bib"'
    return "" if parts.path.lower().endswith(EXPORTS) else f"is no library; write the address of a file of {KINDS}"


def _identifier_in(text: str) -> str:
    """The identifier in `arXiv:2401.01234v2` or in the address of a paper's page."""
    if not re.match(r"(?i)arxiv:|10\.48550/arxiv\.|https?://(www\.)?(arxiv\.org|doi\.org)/", text):
        return ""
    found = re.search(rf"(?<![\w.]){IDENTIFIER.pattern}|(?<=arxiv\.){IDENTIFIER.pattern}", text, re.IGNORECASE)
    return found[0] if found else ""
