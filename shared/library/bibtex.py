"""BibTeX and BibLaTeX, as Zotero, Better BibTeX, JabRef, Mendeley, Google Scholar and people write them."""

from __future__ import annotations

import logging
import re
from itertools import islice
from typing import Any

from bibtexparser.entrypoint import parse_string
from bibtexparser.model import DuplicateBlockKeyBlock, DuplicateFieldKeyBlock, Entry, ParsingFailedBlock

from shared.library.fields import paper, without_tags, without_tex
from shared.library.values import MAX_ABSTRACT, MAX_ENTRIES, MAX_TITLE, Found, LikedPaper

# It warns of every broken entry; we tell them with file and line.
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)

_BEGIN = re.compile(r"@\s*[A-Za-z]+\s*[{(]")
_CONCATENATED = re.compile(r'"((?:[^"\\]|\\.)*)"|#|([^\s#"]+)')
IDS = ("eprint", "arxiv", "arxivid")
MENTIONS = ("doi", "url", "howpublished", "journal", "journaltitle", "number", "note", "annote", "extra", "pubstate")


def read(text: str, found: Found) -> None:
    """Add the entries to what was found."""
    if not _BEGIN.search(text):
        found.wrong("has no BibTeX entry (@article{key, …}); is it a library?")
        return
    library = parse_string(_limited(text, found))
    for block in library.blocks:
        _take(block, found)


def _limited(text: str, found: Found) -> str:
    """Only so many blocks: broken ones cost time, too."""
    beyond = next(islice(_BEGIN.finditer(text), MAX_ENTRIES, None), None)
    if beyond is None:
        return text
    found.wrong(f"has more than {MAX_ENTRIES:,} entries; the rest is left out")
    return text[: beyond.start()]


def _take(block: Any, found: Found) -> None:
    if isinstance(block, DuplicateBlockKeyBlock | DuplicateFieldKeyBlock):  # nothing here depends on its key
        block = block.ignore_error_block
    if isinstance(block, Entry):
        found.add(_paper(block), f"entry {block.key[:80]!r}")
    elif isinstance(block, ParsingFailedBlock):
        start = " ".join((block.raw or "").split())[:60]
        line = None if block.start_line is None else block.start_line + 1
        found.wrong(f"an entry cannot be read and is left out: {start!r}", line)


def _paper(entry: Entry) -> LikedPaper | None:
    fields: dict[str, str] = {}
    for field in entry.fields:
        fields.setdefault(field.key.lower(), _joined(str(field.value)))
    ids = [fields[name] for name in IDS if name in fields and _of_arxiv(fields)]
    mentions = [fields[name].replace("\\_", "_") for name in MENTIONS if name in fields]
    title = " ".join(filter(None, (fields.get("title", ""), fields.get("subtitle", ""))))
    abstract = _readable(fields.get("abstract", "")[: 2 * MAX_ABSTRACT])
    return paper(_readable(title[: 2 * MAX_TITLE]), abstract, ids=ids, mentions=mentions)


def _of_arxiv(fields: dict[str, str]) -> bool:
    """Whether `eprint` is of arXiv, where the entry says of what it is: it may be of PubMed or JSTOR."""
    kind = fields.get("archiveprefix") or fields.get("eprinttype") or "arxiv"
    return kind.strip("{} ").lower() == "arxiv"


def _joined(value: str) -> str:
    """`"A " # name` as `A name`, where the parser left a concatenation as it is."""
    if not (value.startswith('"') and " # " in value):
        return value
    return "".join(quoted or name for quoted, name in _CONCATENATED.findall(value))


def _readable(text: str) -> str:
    return without_tags(without_tex(text))
