"""JSON Feed 1.1 (jsonfeed.org)."""

from __future__ import annotations

import json
from typing import Any

from services.publisher.feed import Entry, Feed
from services.publisher.formats import address
from services.publisher.formats.item import body, lead
from services.publisher.text import one_line, scrubbed
from services.publisher.words import author_names, capped, headline, identity, links

CONTENT_TYPE = "application/feed+json"
SUFFIX = ".json"
VERSION = "https://jsonfeed.org/version/1.1"


def render(feed: Feed) -> bytes:
    """The feed as JSON, entries in the order given, keys always in the same order."""
    document = {
        "version": VERSION,
        "title": _line(feed.title) or feed.slug,
        "home_page_url": address(feed),
        "feed_url": address(feed, SUFFIX),
        "description": _line(feed.description),
        "language": feed.language,
        "items": [_item(entry, feed.public_url) for entry in feed.entries],
    }
    return (scrubbed(json.dumps(document, ensure_ascii=False, indent=1)) + "\n").encode()


def _item(entry: Entry, public_url: str) -> dict[str, Any]:
    paper = entry.paper
    return {
        "id": identity(paper),
        "url": links(paper, public_url).abs,
        "title": _line(headline(paper)),
        "content_html": scrubbed(body(entry, public_url)),
        "summary": _line(lead(entry)),
        "date_published": entry.published.isoformat(),
        "date_modified": entry.updated.isoformat(),
        "authors": [{"name": _line(name)} for name in capped(author_names(paper))],
        "tags": [_line(category) for category in paper.categories],
        "_paperwire": _extension(entry, public_url),
    }


def _extension(entry: Entry, public_url: str) -> dict[str, Any]:
    """What only this site knows, under a name of its own as the format asks."""
    return {
        "about": public_url,
        "permalink": links(entry.paper, public_url).permalink,
        "version": entry.paper.version,
        "announced": entry.date.isoformat(),
        "kind": entry.kind,
        "rank": entry.rank,
        "candidates": entry.candidates,
        "score": entry.score,
        "reasons": [reason.model_dump(exclude={"spans"}) for reason in entry.reasons],
        "summary_by": entry.summary.made_by if entry.summary else None,
        "model": entry.summary.model if entry.summary else None,
    }


def _line(text: str) -> str:
    return one_line(scrubbed(text))
