"""Feeds, entries and batches with defaults for everything, as the publisher shows them."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.publisher.feed import BatchStatus, Day, Entry, Feed, Summary, publication_time
from shared.messages import Reason, StructuredSummary
from tests.builders import BATCH, DAY, a_paper

NASTY = 'A <b>bold</b> & <script>alert(1)</script> ]]> "title" \x00\x0b\ufffe\u202e\u2066 for $x<y$ and `code`'
PUBLIC_URL = "https://papers.example.org"


def a_summary(**changes: Any) -> Summary:
    """A model's summary; text fields go to the text, the others to the summary."""
    texts = {
        "tldr": "Chopper measures where GPUs wait.",
        "motivation": "Nobody knows why training is slow.",
        "method": "Counters on every level.",
        "result": "Memory is the bottleneck in 9 of 10 cases.",
        "conclusion": "Look at memory first.",
    }
    values: dict[str, Any] = {"made_by": "model", "model": "test-model", "language": "en"}
    texts |= {name: changes.pop(name) for name in list(changes) if name in texts}
    return Summary(text=StructuredSummary(**texts), **values | changes)


def an_entry(rank: int = 1, *, day: date = DAY, **changes: Any) -> Entry:
    """A summarised paper of rank 1; text fields of the paper are given as `paper=a_paper(...)`."""
    values: dict[str, Any] = {
        "feed": "gpu",
        "paper": a_paper(id=f"2512.{rank:05d}"),
        "date": day,
        "kind": "new",
        "rank": rank,
        "candidates": 412,
        "score": 8.5,
        "reasons": (Reason(term="GPU", field="title", weight=3.0), Reason(term="LLM", field="abstract", weight=2.0)),
        "published": publication_time(day, rank),
        "updated": publication_time(day, rank),
        "summary": a_summary(),
        "no_summary": None,
    }
    return Entry(**values | changes)


def a_feed(*entries: Entry, **changes: Any) -> Feed:
    """A feed with those entries."""
    values: dict[str, Any] = {
        "slug": "gpu",
        "title": "GPUs & more",
        "description": "What is new about GPUs.",
        "language": "en",
        "public_url": PUBLIC_URL,
    }
    return Feed(entries=entries, **values | changes)


def a_batch(**changes: Any) -> BatchStatus:
    """A finished announcement of 412 papers, 30 of them taken."""
    values: dict[str, Any] = {
        "batch": BATCH,
        "source": "arxiv",
        "date": DAY,
        "reason": None,
        "announced": 412,
        "scored": 412,
        "selected": 30,
        "published": 30,
        "waiting": 0,
        "summarised": 30,
        "dead_papers": 0,
        "dead_entries": 0,
    }
    return BatchStatus(**values | changes)


def a_day(*entries: Entry, **changes: Any) -> Day:
    """The day of 2025-12-10 with those entries, days before and after it."""
    values: dict[str, Any] = {
        "slug": "gpu",
        "date": DAY,
        "batch": a_batch(),
        "earlier": date(2025, 12, 9),
        "later": date(2025, 12, 11),
    }
    return Day(entries=entries, **values | changes)
