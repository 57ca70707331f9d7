"""`paperwire feeds try`: see what a feed takes, why, and what a change of it would change."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli import feeds_diff, feeds_explain, feeds_show
from cli.feeds_file import Trouble, feed_of, read
from cli.feeds_liked import with_liked
from cli.feeds_papers import Papers, announced, asked, database_url, papers_in, period, recorded, tell_searches
from cli.feeds_trial import rows, trial, trials

if TYPE_CHECKING:
    from services.publisher.archive import Archive

SHORT = 5  # papers of each feed, when all feeds are shown
NO_PAPERS = "say what to try it on: recorded announcements (files), or of the archive --date D or --days N"


@dataclass(frozen=True, slots=True)
class Where:
    """What the command line says about the papers."""

    documents: tuple[Path, ...] = ()
    day: date | None = None
    days: int | None = None
    database: str | None = None
    source: str | None = None

    def papers(self) -> Papers:
        """These papers; `Trouble` when there are none, or too many ways to say which."""
        ways = [bool(self.documents), self.day is not None, self.days is not None]
        if sum(ways) > 1:
            raise Trouble("documents, --date and --days are three ways to say which papers: choose one")
        if self.documents:
            return recorded(self.documents, self.source)
        if self.day is not None:
            day = self.day
            return asked(database_url(self.database, "--date"), lambda archive: announced(archive, day, day))
        if self.days is not None:
            return self._newest(self.days)
        raise Trouble(NO_PAPERS)

    def _newest(self, days: int) -> Papers:
        async def newest(archive: Archive) -> Papers:
            return await announced(archive, *await period(archive, days))

        return asked(database_url(self.database, "--days"), newest)

    @property
    def anywhere(self) -> bool:
        """Whether it does not say which."""
        return not self.documents and self.day is None and self.days is None


@dataclass(frozen=True, slots=True)
class How:
    """How to show it."""

    as_json: bool = False
    limit: int | None = None


def one(file: Path, slug: str, where: Where, how: How) -> None:
    """What one feed takes."""
    feeds = read(file).feeds
    feed = feed_of(feeds, slug, file)
    papers = where.papers()
    tell_searches(papers, [feed])
    outcome = trial(with_liked(papers, feeds, file, where.database), feed, feeds)
    if how.as_json:
        dump(rows(outcome, feed, how.limit))
    else:
        feeds_show.show(rows(outcome, feed), feed, outcome.held, how.limit)


def all_of_them(file: Path, where: Where, how: How) -> None:
    """What each feed of the file takes, shortly."""
    feeds = read(file).feeds
    papers = where.papers()
    tell_searches(papers, feeds)
    outcomes = trials(with_liked(papers, feeds, file, where.database), feeds)
    if how.as_json:
        dump({feed.slug: rows(outcomes[feed.slug], feed, how.limit) for feed in feeds})
        return
    for feed in feeds:
        outcome = outcomes[feed.slug]
        taken = len(outcome.taken(feed.slug))
        feeds_show.show_best(rows(outcome, feed, how.limit or SHORT), feed, taken, outcome.held)


def explained(file: Path, slug: str | None, paper_id: str, where: Where, how: How) -> None:
    """Why a paper is in a feed, or in each, or out."""
    feeds = read(file).feeds
    asked_about = [feed_of(feeds, slug, file)] if slug else list(feeds)
    held = _with(paper_id, where)
    tell_searches(held, asked_about)
    papers = with_liked(held, feeds, file, where.database)
    answers = [answer for feed in asked_about for answer in feeds_explain.answers(papers, paper_id, feed, feeds)]
    if how.as_json:
        dump([feeds_explain.as_json(answer) for answer in answers])
        return
    for number, answer in enumerate(answers):
        if number:
            typer.echo("")
        feeds_explain.show(answer)


def _with(paper_id: str, where: Where) -> Papers:
    """The papers that are asked for, or the day of the archive that this one is of."""
    if not where.anywhere:
        papers = where.papers()
        if papers.documents or feeds_explain.identifier(paper_id) in papers_in(papers.archived):
            return papers
        typer.echo(f"{paper_id} is not of these days: here is the day that brought it", err=True)
    url = database_url(where.database, "--explain without documents")
    return asked(url, lambda archive: feeds_explain.from_archive(archive, paper_id))


def compared(file: Path, old: Path, slug: str | None, where: Where, how: How) -> bool:
    """What became different since an older configuration; whether anything did."""
    before, after = read(old).feeds, read(file).feeds
    if slug and slug not in {feed.slug for feed in (*before, *after)}:
        raise Trouble(f"neither {file} nor {old} has a feed {slug}")
    papers = where.papers()
    was = feeds_diff.Configuration(with_liked(papers, before, old, where.database), before, slug)
    now = feeds_diff.Configuration(with_liked(papers, after, file, where.database), after, slug)
    changes = feeds_diff.changes(was, now)
    if how.as_json:
        dump([feeds_diff.as_json(change) for change in changes])
    else:
        feeds_diff.show(changes, how.limit)
    return any(change.different for change in changes)


def dump(document: object) -> None:
    """Print it as JSON."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=1))
