"""CSL JSON, as Zotero, Better BibTeX, Paperpile and Pandoc write it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from shared.library.fields import paper, without_tags
from shared.library.values import Found, LikedPaper

MENTIONS = ("URL", "DOI", "number", "note", "archive_location", "collection-number", "container-title", "id")
_decoder = json.JSONDecoder()
_BLANK = " \t\r\n"


def read(text: str, found: Found) -> None:
    """Add the entries to what was found."""
    text = text.strip()
    items = _wrapped(text, found) if text.startswith("{") else _listed(text, found)
    for number, item in enumerate(items, start=1):
        if found.full:
            found.wrong("has too many entries; the rest is left out")
            return
        if isinstance(item, dict):
            found.add(_paper(item), f"entry {number}")
        else:
            found.wrong(f"entry {number} is no object; it is left out")


def _wrapped(text: str, found: Found) -> Iterator[Any]:
    """`{"items": […]}`, or a single entry."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        found.wrong(f"is not JSON: {str(error)[:200]}")
        return
    items = document.get("items")
    yield from items if isinstance(items, list) else [document]


def _listed(text: str, found: Found) -> Iterator[Any]:
    """The entries of a list one by one, so that those before a broken one are kept."""
    place = 1
    while True:
        place = _after_blanks(text, place)
        if text[place : place + 1] == "]":
            return
        try:
            item, place = _decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            why = "is nested too deeply" if isinstance(error, RecursionError) else "is not JSON"
            found.wrong(f"{why} from here on; the entries before are taken", text.count("\n", 0, place) + 1)
            return
        yield item
        place = _after_blanks(text, place)
        if text[place : place + 1] == ",":
            place += 1


def _after_blanks(text: str, place: int) -> int:
    while text[place : place + 1] and text[place] in _BLANK:
        place += 1
    return place


def _paper(item: dict[str, Any]) -> LikedPaper | None:
    texts = {name: str(value) for name, value in item.items() if isinstance(value, str | int)}
    archive = " ".join((texts.get("archive", ""), texts.get("publisher", ""))).lower()
    ids = [texts.get("archive_location", "")] if "arxiv" in archive else []
    return paper(
        without_tags(texts.get("title", "")),
        without_tags(texts.get("abstract", "")),
        ids=ids,
        mentions=[texts[name] for name in MENTIONS if name in texts],
    )
