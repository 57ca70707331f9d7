"""What RSS and Atom share of feedgen: a feed and its entries with every default of feedgen's taken away.

feedgen stamps the clock, prepends entries and fails on a control character, each unless told otherwise.
"""

from __future__ import annotations

from typing import Any

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator

from services.publisher.feed import Entry, Feed
from services.publisher.formats import address
from services.publisher.formats.item import body
from services.publisher.text import one_line, scrubbed
from services.publisher.words import headline, identity, links

GENERATOR = "Paperwire"


def generator(feed: Feed, suffix: str, content_type: str) -> Any:
    """A feed without entries. The alternate link comes last: feedgen's RSS takes the last one as the page."""
    made = FeedGenerator()
    made.id(address(feed))
    made.title(clean(feed.title) or feed.slug)
    made.subtitle(clean(feed.description) or clean(feed.title) or feed.slug)
    made.link(href=address(feed, suffix), rel="self", type=content_type)
    made.link(href=address(feed), rel="alternate", type="text/html")
    made.language(feed.language)
    made.generator(GENERATOR)
    made.updated(feed.updated)
    made.lastBuildDate(feed.updated)
    return made


def add(made: Any, entry: Entry, public_url: str) -> FeedEntry:
    """An entry at the end, with what both formats say alike."""
    item = made.add_entry(order="append")
    item.guid(identity(entry.paper), permalink=identity(entry.paper).startswith("http"))
    item.title(clean(headline(entry.paper)))
    item.link(href=links(entry.paper, public_url).abs, rel="alternate", type="text/html")
    item.published(entry.published)
    item.updated(entry.updated)
    item.category([{"term": clean(category)} for category in entry.paper.categories if clean(category)])
    item.content(scrubbed(body(entry, public_url)), type="html")
    return item


def clean(text: str) -> str:
    """One line without the characters that would make feedgen lose the whole feed."""
    return one_line(scrubbed(text))
