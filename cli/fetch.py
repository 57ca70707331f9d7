"""`paperwire fetch`: ask the fetcher for something now."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import running
from cli.orders import carry_out, connected, pipeline
from cli.up import DATA

if TYPE_CHECKING:
    from shared.messages import FetchRequested

fetch_app = typer.Typer(add_completion=False)


@fetch_app.command()
def fetch(
    *,
    now: Annotated[bool, typer.Option("--now", help="Look at the announcement at once.")] = False,
    nats_url: Annotated[str | None, typer.Option(help="The pipeline's NATS; else NATS_URL; else an own one.")] = None,
    feeds: Annotated[Path | None, typer.Option(help="For an own pipeline: the feeds; else FEEDS_FILE.")] = None,
    data: Annotated[Path, typer.Option(file_okay=False, help="For an own pipeline: where its data is kept.")] = DATA,
) -> None:
    """Ask the fetcher for something now, and wait until it is done."""
    from shared.messages import FetchRequested

    if not now:
        raise typer.BadParameter("say what to fetch: --now looks at the announcement at once")
    order = FetchRequested(order=f"now-{secrets.token_hex(6)}", what="now")
    raise typer.Exit(running.run(run(order, nats_url, feeds, data)))


async def run(order: FetchRequested, nats_url: str | None, feeds: Path | None, data: Path) -> int:
    """The exit code."""
    async with pipeline(nats_url, feeds, data) as url, connected(url) as bus:
        return await carry_out(bus, order, lambda _: 0.0, "The fetcher looks all the same; see paperwire status.")
