"""Announcement documents, recorded and written, for the fetcher's tests."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from services.fetcher.sources.arxiv_rss import Announcement, Item
from shared.messages import Kind
from tests.builders import DAY, a_paper

RECORDED = Path(__file__).parent / "data" / "arxiv"
ALL = "cs.AI+cs.CL+cs.DC+cs.LG"
WEEK = tuple(f"{ALL}.2025-12-{day:02}.xml" for day in range(8, 13))
WEEKEND = "cs.CL.2026-08-01.empty-weekend.xml"


def recorded(name: str) -> bytes:
    """A recorded feed."""
    return (RECORDED / "rss" / name).read_bytes()


def an_item(
    *,
    guid: str = "oai:arXiv.org:2512.07841v1",
    title: str = "A title",
    kind: str = "new",
    creator: str = "Ada Lovelace, Charles Babbage",
    abstract: str = "An abstract.",
    more: str = "",
) -> str:
    """One item as arXiv writes it; the texts are put in as they are."""
    identifier = guid.rpartition(":")[2]
    return (
        f"<item><title>{title}</title><link>https://arxiv.org/abs/x</link>"
        f"<description>arXiv:{identifier} Announce Type: {kind} \nAbstract: {abstract}</description>"
        f'<guid isPermaLink="false">{guid}</guid><category>cs.AI</category><category>cs.LG</category>'
        f"<arxiv:announce_type>{kind}</arxiv:announce_type>{more}<dc:creator>{creator}</dc:creator></item>"
    )


def a_feed(*items: str, day: str = "Wed, 10 Dec 2025 00:00:00 -0500") -> bytes:
    """An RSS announcement with these items."""
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        '<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0">'
        f"<channel><title>t</title><lastBuildDate>Wed, 10 Dec 2025 05:00:14 +0000</lastBuildDate>"
        f"<pubDate>{day}</pubDate>{''.join(items)}</channel></rss>"
    ).encode("utf-8", "surrogatepass")


def announcing(*papers: str | tuple[str, Kind], day: date = DAY) -> Announcement:
    """An announcement of these versioned ids, `new` unless said otherwise."""
    return Announcement(day, datetime(2025, 12, 10, 5, tzinfo=UTC), tuple(_items(papers)), ())


def _items(papers: Iterable[str | tuple[str, Kind]]) -> Iterable[Item]:
    for entry in papers:
        versioned, kind = entry if isinstance(entry, tuple) else (entry, "new")
        identifier, _, version = versioned.rpartition("v")
        yield Item(a_paper(id=identifier, version=int(version)), _kind(kind))


def _kind(kind: Any) -> Kind:
    found: Kind = kind
    return found
