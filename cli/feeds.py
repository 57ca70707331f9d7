"""`paperwire feeds check|try|stats|fill`: write down an interest, see what it takes, and have it filled."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cli import feeds_fill, feeds_stats, feeds_try, running
from cli.feeds_file import FAILED, Trouble, count, read, told
from cli.feeds_show import print_table
from cli.feeds_table import table_of
from cli.feeds_try import How, Where
from services.fetcher import sources

DIFFERENT, TROUBLE = 1, 2
"""Exit codes of --diff, as `diff` has them."""

MOST_ROWS = 500  # nobody reads more, and a table of ten thousand takes ten seconds

feeds_app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",  # it fills paragraphs
    help="Check feeds, try them, see how their terms do, fill them.",
)

File = Annotated[Path, typer.Argument(help="The configuration.", show_default=False)]
Documents = Annotated[
    list[Path] | None,
    typer.Argument(help="Recorded announcements, or any document that `paperwire fetch --dry-run` reads."),
]
Database = Annotated[
    str | None, typer.Option("--database-url", help="The publisher's Postgres, for the archive; else DATABASE_URL.")
]
Day = Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="This day of the archive.")]
Days = Annotated[int | None, typer.Option(min=1, help="The newest N days of the archive.")]
Source = Annotated[str | None, typer.Option(help="The source that the documents are of; else as they say.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@feeds_app.command()
def check(
    file: Annotated[Path, typer.Argument(envvar="FEEDS_FILE", help="The configuration.")] = Path("feeds.toml"),
) -> None:
    """Print every problem with its line, or what the feeds are. Exit code 1 when there is a problem."""
    with told():
        found = read(file)
        if problems := sources.problems(found.sources):
            raise Trouble(*problems)
    print_table(table_of(found.feeds[:MOST_ROWS]))
    if (more := len(found.feeds) - MOST_ROWS) > 0:
        typer.echo(f"and {count(more, 'feed')} more")
    typer.echo(f"{file}: {count(len(found.feeds), 'feed')}, no problems")


@feeds_app.command("try")
def try_(
    file: File,
    documents: Documents = None,
    *,
    feed: Annotated[str | None, typer.Option(help="The slug of the feed to try; else all, shortly.")] = None,
    day: Day = None,
    days: Days = None,
    explain: Annotated[str | None, typer.Option(metavar="ID", help="Why is this paper in, or out?")] = None,
    diff: Annotated[
        Path | None, typer.Option(metavar="OLD.toml", help="What is different from this older configuration?")
    ] = None,
    as_json: Json = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Show only so many papers of a day.")] = None,
    source: Source = None,
    database: Database = None,
) -> None:
    """Print what a feed takes, and why: of recorded announcements, or of past days in the archive.

    Of a paper in several documents the first counts; unless match = "arxiv_rss_bot", `new` in any of them makes it
    new. --explain without documents and days looks the paper up in the archive, on the day that first brought it.

    Exit codes: 0, or 1 when it cannot be tried; with --diff 0 when nothing is different, 1 when something is, 2 when
    it cannot be tried.
    """
    where = Where(tuple(documents or ()), day.date() if day else None, days, database, source)
    how = How(as_json, limit)
    with told(TROUBLE if diff else FAILED):
        if diff and explain:
            raise Trouble("--diff and --explain are two questions: ask one of them")
        if diff:
            raise typer.Exit(DIFFERENT if feeds_try.compared(file, diff, feed, where, how) else 0)
        if explain is not None:
            feeds_try.explained(file, feed, explain, where, how)
        elif feed:
            feeds_try.one(file, feed, where, how)
        else:
            feeds_try.all_of_them(file, where, how)


@feeds_app.command()
def stats(
    file: File,
    documents: Documents = None,
    *,
    feed: Annotated[str | None, typer.Option(help="The slug of a feed; else all.")] = None,
    day: Day = None,
    days: Days = None,
    as_json: Json = False,
    source: Source = None,
    database: Database = None,
) -> None:
    """Print how selective each term is: on recorded announcements, or on past days in the archive.

    papers: how many have it, and which share that is of those that the feed looks at; title: in how many titles;
    decides: how many match only thanks to it (of an exclusion: how many would match but for it); taken: in how many
    of the feed's papers it is found. Exit code 1 when there is nothing to count.
    """
    where = Where(tuple(documents or ()), day.date() if day else None, days, database, source)
    with told():
        counts = feeds_stats.found(file, feed, where)
    if as_json:
        feeds_try.dump(feeds_stats.as_json(counts))
    else:
        feeds_stats.show(counts)


@feeds_app.command()
def fill(
    slug: Annotated[str, typer.Argument(help="The feed.", show_default=False)],
    *,
    days: Annotated[
        int | None, typer.Option(min=1, help="How many of the archive's newest days; else 14, or all that it has.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would come.")] = False,
    file: Annotated[Path, typer.Option("--feeds", envvar="FEEDS_FILE", help="The configuration.")] = Path("feeds.toml"),
    nats_url: Annotated[str | None, typer.Option(help="The services' NATS; else NATS_URL.")] = None,
    database: Database = None,
) -> None:
    """Fill a new or changed feed with what it would have taken on past days. Other feeds stay as they are.

    The papers come from the archive, under the dates and ranks that they would have had; the publisher stores them
    and summaries are made as always. A paper that was replaced since is judged by its newest text. What the feed has
    already stays, also what it would not take any more; the same command again changes nothing.

    Exit codes: 0 filled, also when there was nothing to fill; 1 it could not be done.
    """
    with told():
        raise typer.Exit(running.run(feeds_fill.run(feeds_fill.Order(file, slug, days, dry_run, nats_url, database))))
