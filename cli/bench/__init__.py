"""`paperwire bench`: what Paperwire does beside what the bare libraries can do, in the same run."""

from __future__ import annotations

from typing import Annotated

import typer

bench_app = typer.Typer(no_args_is_help=True, help="Measure against a floor in the same run, and print ratios.")


@bench_app.callback()
def bench() -> None:
    """Absolute figures mean little on a shared machine; the ratios hold."""


@bench_app.command("pipeline")
def measure_pipeline(
    papers: Annotated[int, typer.Option(min=100, max=10_000, help="How many recorded papers.")] = 10_000,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="How often; every variant runs once a round.")] = 3,
) -> None:
    """Papers per second from announcement bytes to rows in Postgres, beside a bare nats-py and asyncpg loop."""
    from cli.bench.pipeline import run

    run(papers, rounds)


@bench_app.command("backfill")
def measure_backfill(
    papers: Annotated[int, typer.Option(min=100, max=10_000, help="How many recorded papers.")] = 10_000,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="How often; every variant runs once a round.")] = 3,
    pages: Annotated[
        int, typer.Option(min=0, max=1_000, help="Also harvest so many pages of 1,000 records: the fetcher's memory.")
    ] = 0,
) -> None:
    """Papers per second of a backfill over OAI-PMH, beside the pipeline's own rate for announcements."""
    from cli.bench.backfill import run

    run(papers, rounds, pages)


@bench_app.command("parse")
def measure_parse(
    papers: Annotated[int, typer.Option(min=100, max=10_000, help="How many recorded papers.")] = 10_000,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="How often; every variant runs once a round.")] = 7,
) -> None:
    """Papers per second from announcement bytes to papers, beside one bare pass of lxml."""
    from cli.bench.parse import run

    run(papers, rounds)


@bench_app.command("score")
def measure_score(
    papers: Annotated[int, typer.Option(min=10, max=10_000, help="How many recorded papers.")] = 2_000,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="How often; every variant runs once a round.")] = 7,
    feeds: Annotated[str, typer.Option(help="How many feeds, up to 100,000; several numbers with commas.")] = (
        "1,100,1000,10000"
    ),
) -> None:
    """Papers per second held against many feeds, beside a naive loop and a bare automaton; memory and compile time."""
    from cli.bench.score import MOST_FEEDS, run

    numbers = [int(number) for number in feeds.split(",") if number.strip().isdecimal()]
    if len(numbers) != feeds.count(",") + 1 or not all(0 < number <= MOST_FEEDS for number in numbers):
        raise typer.BadParameter(f"write numbers from 1 to {MOST_FEEDS:,}, as in 100,10000", param_hint="--feeds")
    run(papers, rounds, numbers)
