"""`paperwire feeds stats`: how selective each term is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.table import Column, Table
from rich.text import Text

from cli.feeds_file import count, feed_of, read
from cli.feeds_liked import with_liked
from cli.feeds_papers import tell_searches
from cli.feeds_show import print_table
from cli.feeds_trial import trial, trials
from cli.feeds_try import Where
from cli.progress import printable
from services.scorer.selectivity import Selectivity, TermCount, selectivity


def found(file: Path, slug: str | None, where: Where) -> list[Selectivity]:
    """The counts of one feed, or of each."""
    feeds = read(file).feeds
    held = where.papers()
    tell_searches(held, [one for one in feeds if slug in (None, one.slug)])
    papers = with_liked(held, feeds, file, where.database)
    if slug:
        feed = feed_of(feeds, slug, file)
        return [selectivity(feed, trial(papers, feed, feeds), papers.make)]
    judged = trials(papers, feeds)
    return [selectivity(feed, judged[feed.slug], papers.make) for feed in feeds]


def as_json(counts: Sequence[Selectivity]) -> list[dict[str, Any]]:
    """The counts for programs."""
    return [asdict(one) for one in counts]


def show(counts: Sequence[Selectivity]) -> None:
    """A table for each feed; terms that were never found are only named."""
    for one in counts:
        looked = f"looks at {one.looked_at:,} of {count(one.announced, 'paper')}"
        typer.echo(f"{one.feed}: {looked}; {one.matched:,} match, {one.taken:,} are taken")
        if any(term.found for term in one.terms):
            print_table(_table(one))
        if never := [term.term for term in one.terms if not term.found]:
            print_table(Text(f"never found: {printable(', '.join(never))}", style="dim"))


def _table(one: Selectivity) -> Table:
    numbers = ("weight", "papers", "share", "title", "decides", "taken")
    table = Table("term", Column("is", no_wrap=True), *(Column(name, justify="right") for name in numbers), box=None)
    for term in one.terms:
        if term.found:
            table.add_row(*_cells(term))
    return table


def _cells(term: TermCount) -> tuple[Text | str, ...]:
    role = f"any {(term.group or 0) + 1}" if term.role == "any" else term.role
    weight = "" if term.role == "exclude" else f"{term.weight:g}"
    numbers = (f"{term.found:,}", f"{term.share:.1%}", f"{term.title:,}", f"{term.decides:,}", f"{term.taken:,}")
    return Text(printable(term.term)), role, weight, *numbers
