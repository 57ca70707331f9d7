"""Messages with defaults for everything, so that a test mentions only what it is about."""

from __future__ import annotations

from datetime import date
from typing import Any

from shared.messages import (
    AnnouncementChecked,
    BatchClosed,
    CategoryCheck,
    Match,
    Paper,
    PaperAnnounced,
    PaperScored,
    Reason,
)

DAY = date(2025, 12, 10)
BATCH = "arxiv:2025-12-10"


def a_paper(**changes: Any) -> Paper:
    """A paper that could be real."""
    values: dict[str, Any] = {
        "id": "2512.08242",
        "version": 1,
        "title": "Chopper: A Multi-Level GPU Characterization Tool",
        "authors": ("Marco Kurzynski", "Shaizeen Aga", "Di Wu"),
        "abstract": "Training large language models (LLMs) efficiently requires understanding GPUs. "
        "We present Chopper. Results show that memory is the bottleneck.",
        "categories": ("cs.DC", "cs.LG"),
    }
    return Paper(**values | changes)


def an_announcement(position: int = 0, *, paper: Paper | None = None, **changes: Any) -> PaperAnnounced:
    """A paper as announced on 2025-12-10."""
    values: dict[str, Any] = {
        "paper": paper or a_paper(id=f"2512.{position:05d}"),
        "batch": BATCH,
        "date": DAY,
        "kind": "new",
        "position": position,
    }
    return PaperAnnounced(**values | changes)


def a_match(feed: str = "gpu", score: float = 1.5) -> Match:
    """A match by one word in the title."""
    return Match(feed=feed, score=score, reasons=(Reason(term="GPU", field="title", weight=score),))


def a_scored(position: int = 0, *, paper: Paper | None = None, **changes: Any) -> PaperScored:
    """A scored paper of 2025-12-10 that matches one feed."""
    values: dict[str, Any] = {
        "paper": paper or a_paper(id=f"2512.{position:05d}"),
        "batch": BATCH,
        "date": DAY,
        "kind": "new",
        "position": position,
        "matches": (a_match(),),
    }
    return PaperScored(**values | changes)


def a_closing(papers: int = 1, **changes: Any) -> BatchClosed:
    """The end of the announcement of 2025-12-10."""
    values: dict[str, Any] = {
        "batch": BATCH,
        "source": "arxiv",
        "date": DAY,
        "papers": papers,
        "first_sequence": 1,
    }
    return BatchClosed(**values | changes)


def a_check(number: int = 1, **changes: Any) -> AnnouncementChecked:
    """The announcement of 2025-12-10 as counted: one category, nothing missing."""
    values: dict[str, Any] = {
        "source": "arxiv",
        "date": DAY,
        "check": number,
        "complete": True,
        "categories": (CategoryCheck(category="cs.DC", announced=11, seen=11),),
    }
    return AnnouncementChecked(**values | changes)


def a_gap(category: str = "cs.AI", announced: int | None = 12, seen: int = 9, **changes: Any) -> CategoryCheck:
    """A category of which three papers are missing."""
    return CategoryCheck(category=category, announced=announced, seen=seen, **changes)
