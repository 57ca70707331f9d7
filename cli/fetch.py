"""`paperwire fetch`: ask the fetcher for something now."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import running
from cli.lookup import look_up, order_of
from cli.orders import carry_out, connected, pipeline
from cli.up import DATA
from services.fetcher.text import read_id

if TYPE_CHECKING:
    from shared.messages import FetchRequested

fetch_app = typer.Typer(add_completion=False)


@fetch_app.command()
def fetch(
    ids: Annotated[
        list[str] | None,
        typer.Argument(help="Papers: 2512.08242, hep-th/9901001v2, an address. After --from: further documents."),
    ] = None,
    *,
    search: Annotated[str | None, typer.Option(help="What a search finds, in the language of arXiv's API.")] = None,
    most: Annotated[int | None, typer.Option("--max", min=1, help="With --search: no more papers than these.")] = None,
    recorded: Annotated[
        list[Path] | None, typer.Option("--from", help="With --dry-run: recorded documents of any form.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what the documents hold.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --dry-run: one paper a line, as JSON.")] = False,
    now: Annotated[bool, typer.Option("--now", help="Look at the announcement at once.")] = False,
    nats_url: Annotated[str | None, typer.Option(help="The pipeline's NATS; else NATS_URL; else an own one.")] = None,
    feeds: Annotated[Path | None, typer.Option(help="For an own pipeline: the feeds; else FEEDS_FILE.")] = None,
    data: Annotated[Path, typer.Option(file_okay=False, help="For an own pipeline: where its data is kept.")] = DATA,
) -> None:
    """Ask the fetcher for something now, and wait until it is done; or read recorded documents, with no server.

    Exit codes of --dry-run: 0 there are papers, 3 the documents are valid and empty, 4 one of them must not be used,
    1 a file cannot be read. The name - is standard input.
    """
    if recorded or dry_run or as_json:
        if now or search is not None or most is not None:
            raise typer.BadParameter("--now, --search and --max ask the fetcher; --from FILE… --dry-run asks nobody")
        files = [*(recorded or ()), *map(Path, ids or ())]
        raise typer.Exit(read_recorded(files, dry_run=dry_run, as_json=as_json))
    check(ids or (), search, most, now=now)
    order = look_of() if now else order_of(ids or (), search, most)
    raise typer.Exit(running.run(run(order, nats_url, feeds, data)))


def check(ids: Sequence[str], search: str | None, most: int | None, *, now: bool) -> None:
    """Say what is wrong before anything is started; a wrong id among good ones is told when these are fetched."""
    if [bool(ids), search is not None, now].count(True) != 1:
        raise typer.BadParameter("say one of: ids of papers, --search QUERY, --now for the announcement")
    if search is not None and not search.strip():
        raise typer.BadParameter(
            "it is empty; write for example 'cat:cs.LG AND abs:quantization'", param_hint="--search"
        )
    if most is not None and search is None:
        raise typer.BadParameter("goes with --search only", param_hint="--max")
    if ids and not any(map(read_id, ids)):
        named = ", ".join(map(repr, ids[:10]))
        raise typer.BadParameter(f"no arXiv id: {named}; ids look like 2512.08242, 2512.08242v2, hep-th/9901001")


def look_of() -> FetchRequested:
    """A look at the announcement."""
    from shared.messages import FetchRequested

    return FetchRequested(order=f"now-{secrets.token_hex(6)}", what="now")


def read_recorded(files: Sequence[Path], *, dry_run: bool, as_json: bool) -> int:
    """What the documents hold; those that follow the first one after `--from` come as arguments."""
    from cli.dry_run import run

    if not dry_run or not files:
        raise typer.BadParameter("write --from FILE… --dry-run: recorded documents are only shown, not published")
    return run(files, as_json)


async def run(order: FetchRequested, nats_url: str | None, feeds: Path | None, data: Path) -> int:
    """The exit code."""
    async with pipeline(nats_url, feeds, data) as url, connected(url) as bus:
        if order.what in {"ids", "search"}:
            return await look_up(bus, order)
        return await carry_out(bus, order, lambda _: 0.0, "The fetcher looks all the same; see paperwire status.")
