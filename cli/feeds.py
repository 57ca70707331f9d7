"""`paperwire feeds check|try`: write down an interest, and see what it would have taken. No server needed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from cli.feeds_table import table_of
from services.fetcher import sources
from services.fetcher.sources import arxiv_rss
from services.scorer.scoring import Scorer
from services.scorer.selection import select
from shared.feeds import FeedConfig, FeedsError, FeedsFile, load
from shared.messages import PaperAnnounced, PaperScored

feeds_app = typer.Typer(no_args_is_help=True, help="Check the feed configuration, or try it on recorded announcements.")


@feeds_app.command()
def check(
    file: Annotated[Path, typer.Argument(envvar="FEEDS_FILE", help="The configuration.")] = Path("feeds.toml"),
) -> None:
    """Print every problem with its line, or what the feeds are."""
    found = _load(file)
    if problems := sources.problems(found.sources):
        _fail(*problems)
    feeds = found.feeds
    _print(table_of(feeds))
    typer.echo(f"{file}: {len(feeds)} feed{'s' if len(feeds) != 1 else ''}, no problems")


@feeds_app.command("try")
def try_(
    file: Annotated[Path, typer.Argument(help="The configuration.")],
    documents: Annotated[list[Path], typer.Argument(help="Recorded announcements: arXiv's RSS or Atom feeds.")],
    feed: Annotated[str, typer.Option(help="The slug of the feed to try.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Show only so many papers.")] = None,
) -> None:
    """Print what a feed takes from recorded announcements, and why.

    Of a paper in several documents the first counts; unless match = "arxiv_rss_bot", `new` in any of them makes it new.
    """
    config = _feed(_load(file), feed, file)
    announced = list(merge((_read(document) for document in documents), any_new=config.match == "words"))
    taken = ranking(announced, config)[:limit]
    if as_json:
        typer.echo(json.dumps(taken, ensure_ascii=False, indent=1))
    else:
        _show(taken, config, len(announced))


def merge(documents: Iterable[arxiv_rss.Announcement], *, any_new: bool) -> Iterable[PaperAnnounced]:
    """Every paper once, at its first place in the documents."""
    merged: dict[str, PaperAnnounced] = {}
    for document in documents:
        for paper, kind in document.items:
            known = merged.get(paper.id)
            if known is None:
                merged[paper.id] = PaperAnnounced(
                    paper=paper, batch="try", date=document.date, kind=kind, position=len(merged)
                )
            elif any_new and kind == "new":
                merged[paper.id] = known.model_copy(update={"kind": kind})
    return merged.values()


def ranking(announced: Sequence[PaperAnnounced], feed: FeedConfig) -> list[dict[str, Any]]:
    """What the feed takes, best first."""
    scorer = Scorer([feed])
    scored = {paper.about: paper for paper in map(scorer.score, announced)}
    selected = select(scored.values(), [feed]).selected
    rows = (_ranked(scored[paper.about], paper.picks[0].rank) for paper in selected)
    return sorted(rows, key=lambda row: int(row["rank"]))


def _ranked(scored: PaperScored, rank: int) -> dict[str, Any]:
    (match,) = scored.matches
    return {
        "rank": rank,
        "id": scored.paper.id,
        "version": scored.paper.version,
        "title": scored.paper.title,
        "kind": scored.kind,
        "score": match.score,
        "reasons": [reason.model_dump() for reason in match.reasons],
    }


def _load(file: Path) -> FeedsFile:
    try:
        return load(file)
    except FeedsError as error:
        _fail(*error.problems)


def _feed(feeds: FeedsFile, slug: str, file: Path) -> FeedConfig:
    found = {feed.slug: feed for feed in feeds.feeds}
    if slug not in found:
        _fail(f"{file}: has no feed {slug}; there is: {', '.join(found)}")
    return found[slug]


def _read(document: Path) -> arxiv_rss.Announcement:
    try:
        return arxiv_rss.parse(document.read_bytes())
    except OSError as error:
        _fail(f"{document}: cannot be read: {error.strerror}")
    except arxiv_rss.UnusableDocument as error:
        _fail(f"{document}: is no announcement: {error}")


def _fail(*problems: str) -> NoReturn:
    for problem in problems:
        typer.echo(problem, err=True)
    raise typer.Exit(1)


def _show(taken: Sequence[dict[str, Any]], feed: FeedConfig, announced: int) -> None:
    table = Table(Column("", justify="right"), Column("id", no_wrap=True), "score", "paper and why")
    for row in taken:
        why = ", ".join(f"{reason['term']} ({reason['field']} +{reason['weight']:g})" for reason in row["reasons"])
        table.add_row(
            str(row["rank"]), row["id"], f"{row['score']:g}", f"{escape(row['title'])}\n[dim]{escape(why)}[/dim]"
        )
    _print(table)
    typer.echo(f"{feed.slug} takes {len(taken)} of {announced} papers")


def _print(table: Table) -> None:
    Console(highlight=False).print(table)
