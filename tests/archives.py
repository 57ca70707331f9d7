"""An archive as the publisher keeps it after some days, for tests that ask it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from shared.messages import BatchClosed, Kind, Match, Message, Paper, PaperScored, Reason
from tests.builders import a_closing, a_paper, a_scored
from tests.conftest import run_apart
from tests.publishing import a_publisher

FIRST, SECOND = date(2025, 12, 10), date(2025, 12, 11)


def paper(number: int, title: str, **changes: Any) -> Paper:
    """A paper about nothing but its title."""
    return a_paper(id=f"2512.{number:05d}", title=title, **{"abstract": "", **changes})


def day(on: date, *papers: Paper, supplement: int = 1, kind: Kind = "new", closed: int | None = -1) -> list[Message]:
    """An announcement, scored against no feed; `closed` with so many papers (-1: as many as there are), or not yet."""
    batch = f"arxiv:{on}" + (f".{supplement}" if supplement > 1 else "")
    scored: list[Message] = [
        a_scored(number, paper=one, batch=batch, date=on, kind=kind, matches=()) for number, one in enumerate(papers)
    ]
    closing = a_closing(len(papers) if closed == -1 else closed or 0, batch=batch, date=on)
    return scored if closed is None else [*scored, closing]


def searched(on: date, search: str, *papers: Paper) -> list[Message]:
    """What a search found, for the feed that has it."""
    batch = f"arxiv-search:{on}"
    match = Match(feed="old", score=1.0, reasons=(Reason(term=search, field="search", weight=1.0),))
    scored: list[Message] = [
        a_scored(number, paper=one, batch=batch, date=on, matches=(match,)) for number, one in enumerate(papers)
    ]
    return [*scored, BatchClosed(batch=batch, source="arxiv-search", date=on, papers=len(papers))]


def backfilled(on: date, *papers: Paper) -> list[Message]:
    """What an order brought."""
    return [
        PaperScored(paper=one, batch="backfill:o", date=on, kind="backfill", position=number)
        for number, one in enumerate(papers)
    ]


def keep(database_url: str, messages: Sequence[Message]) -> None:
    """Have the publisher store them."""

    async def store() -> None:
        async with a_publisher(database_url) as publisher:
            await publisher.handle(*messages)

    run_apart(store)
