"""OPML 2.0: a list of feeds that a reader subscribes to at once."""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

from services.publisher.feed import Feed
from services.publisher.formats import address
from services.publisher.text import one_line, scrubbed

CONTENT_TYPE = "text/x-opml"
SUFFIX = ".opml"


def render(feed: Feed) -> bytes:
    """A list of one."""
    return render_list([feed])


def render_list(feeds: Iterable[Feed]) -> bytes:
    """All feeds, in the order given; their entries do not matter."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "Paperwire feeds"
    listed = etree.SubElement(root, "body")
    for feed in feeds:
        etree.SubElement(listed, "outline", _outline(feed))
    return etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)


def _outline(feed: Feed) -> dict[str, str]:
    title = one_line(scrubbed(feed.title)) or feed.slug
    return {
        "type": "rss",
        "text": title,
        "title": title,
        "description": one_line(scrubbed(feed.description)),
        "language": feed.language,
        "xmlUrl": address(feed, ".rss"),
        "htmlUrl": address(feed),
    }
