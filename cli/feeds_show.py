"""What a feed takes, for people: tables of 80 columns with the matched words marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import typer
from rich.console import Console, Group
from rich.table import Column, Table
from rich.text import Text

from cli.feeds_file import count
from cli.feeds_trial import Row
from cli.progress import printable
from shared.feeds import FeedConfig

MARK = "bold underline"


def show(rows: Sequence[Row], feed: FeedConfig, held: int, limit: int | None) -> None:
    """A table for each day with its `limit` best, and how many papers the feed takes of how many."""
    days = [list(of_day) for _, of_day in groupby(rows, key=lambda row: row["date"])]
    for of_day in days:
        title = f"{of_day[0]['date']}: {count(len(of_day), 'paper')}" if len(days) > 1 else None
        print_table(_table(of_day[:limit], title))
    typer.echo(f"{feed.slug} takes {len(rows)} of {count(held, 'paper')}")


def _table(rows: Iterable[Row], title: str | None) -> Table:
    table = Table(
        Column("", justify="right"),
        Column("id", no_wrap=True),
        "score",
        "paper and why",
        title=title,
        title_justify="left",
    )
    for row in rows:
        paper = Group(title_of(row["title"], row["reasons"]), Text(why(row["reasons"]), style="dim"))
        table.add_row(str(row["rank"]), row["id"], f"{row['score']:g}", paper)
    return table


def show_best(rows: Sequence[Row], feed: FeedConfig, taken: int, held: int) -> None:
    """A feed in a line, and these of its papers in one more each."""
    typer.echo(f"{feed.slug} takes {taken} of {count(held, 'paper')}")
    table = Table(Column(justify="right"), Column(no_wrap=True), Column(justify="right"), Column(), box=None)
    table.show_header = False
    for row in rows:
        table.add_row(str(row["rank"]), row["id"], f"{row['score']:g}", title_of(row["title"], row["reasons"]))
    if rows:
        print_table(table)


def title_of(title: str, reasons: Iterable[Mapping[str, Any]]) -> Text:
    """The title with the matched words marked; nothing in it is a command to the terminal."""
    text = Text(printable(title))
    for reason in reasons:
        for span in reason.get("spans", ()):
            if span["field"] == "title":
                text.stylize(MARK, span["start"], span["end"])
    return text


def why(reasons: Iterable[Mapping[str, Any]]) -> str:
    """`LLM (title +1.5), latency (abstract +1)`."""
    return ", ".join(f"{printable(one['term'])} ({one['field']} +{one['weight']:g})" for one in reasons)


def print_table(table: Table | Text) -> None:
    """On the standard output, as wide as it is."""
    Console(highlight=False).print(table)
