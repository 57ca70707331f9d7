"""RSS 2.0."""

from __future__ import annotations

from html import escape

from services.publisher.feed import Entry, Feed
from services.publisher.formats._feedgen import add, clean, generator
from services.publisher.formats.item import lead
from services.publisher.words import author_names, names_line

CONTENT_TYPE = "application/rss+xml"
SUFFIX = ".rss"
TTL_MINUTES = 60


def render(feed: Feed) -> bytes:
    """The feed as RSS, entries in the order given."""
    made = generator(feed, SUFFIX, CONTENT_TYPE)
    made.load_extension("dc", atom=False, rss=True)
    made.pubDate(feed.updated)
    made.ttl(TTL_MINUTES)
    for entry in feed.entries:
        _add(made, entry, feed.public_url)
    return bytes(made.rss_str(pretty=True))


def _add(made: object, entry: Entry, public_url: str) -> None:
    item = add(made, entry, public_url)
    # Readers take an RSS description for HTML, so plain text is escaped once more than XML asks.
    item.description(escape(clean(lead(entry)), quote=False), isSummary=True)
    # One creator for all: of several, most readers keep only one.
    if names := clean(names_line(author_names(entry.paper))):
        item.dc.dc_creator(names)
