"""Atom (RFC 4287)."""

from __future__ import annotations

from services.publisher.feed import Entry, Feed
from services.publisher.formats._feedgen import add, clean, generator
from services.publisher.formats.item import lead
from services.publisher.words import author_names, capped

CONTENT_TYPE = "application/atom+xml"
SUFFIX = ".atom"


def render(feed: Feed) -> bytes:
    """The feed as Atom, entries in the order given."""
    made = generator(feed, SUFFIX, CONTENT_TYPE)
    made.author(name=clean(feed.title) or feed.slug)
    for entry in feed.entries:
        _add(made, entry, feed.public_url)
    return bytes(made.atom_str(pretty=True))


def _add(made: object, entry: Entry, public_url: str) -> None:
    item = add(made, entry, public_url)
    item.summary(clean(lead(entry)))
    item.author([{"name": clean(name)} for name in capped(author_names(entry.paper)) if clean(name)])
