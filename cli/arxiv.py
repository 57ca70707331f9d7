"""`paperwire arxiv`: something like arXiv on this machine, from recorded documents, with its bad days."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import running
from cli.local.processes import LocalError
from cli.local.serving import serving

if TYPE_CHECKING:
    from cli.local.arxiv import Asked, Fault, Replay

FAULTS = (
    "429, 429=SECONDS (Retry-After), 503 or any status, rate-exceeded, html, cut, slow=SECONDS, empty, expired, "
    "badArgument and the other errors of OAI-PMH; with @PATH only for addresses that begin so: 429=5@/rss, "
    "empty@/api/query?start=100."
)

arxiv_app = typer.Typer(add_completion=False)


@arxiv_app.command()
def arxiv(
    recorded: Annotated[
        list[Path] | None, typer.Argument(exists=True, help="Recorded documents, or folders of them; else the demo's.")
    ] = None,
    *,
    fault: Annotated[list[str] | None, typer.Option(help=f"Spoil one answer; may be repeated. {FAULTS}")] = None,
    always: Annotated[list[str] | None, typer.Option(metavar="FAULT", help="Spoil every answer in this way.")] = None,
    one_etag: Annotated[bool, typer.Option("--one-etag", help="The same ETag for every announcement.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
) -> None:
    """Answers like arXiv's hosts from recorded documents until Ctrl-C, and prints what points the services at it.

    Announcements (RSS, Atom), OAI-PMH pages, answers of the query API and pages of the site are known by their form.
    """
    replay = loaded(recorded or ())
    replay.faults.extend(faults(fault))
    replay.standing.extend(faults(always))
    replay.etag = '"one"' if one_etag else None
    raise typer.Exit(running.run(run(replay, port)))


def loaded(places: Sequence[Path]) -> Replay:
    """What is to be served; what cannot be is told."""
    from cli.demo import announcement
    from cli.local.arxiv import Replay
    from cli.local.arxiv.recorded import load

    if not places:
        return Replay.of(announcement())
    replay, unknown = load(*places)
    if not (replay.documents or replay.atom or replay.oai.pages or replay.api or replay.pages or replay.listings):
        raise LocalError(f"{', '.join(map(str, places))}: no document of arXiv's is there")
    for path in unknown:
        print(f"paperwire: {path} is not served: it is no document of arXiv's", file=sys.stderr)
    return replay


def faults(texts: Sequence[str] | None) -> list[Fault]:
    """As they are written on the command line."""
    from cli.local.arxiv.faults import named

    try:
        return [named(text) for text in texts or ()]
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


async def run(replay: Replay, port: int) -> int:
    """Serves until a signal."""
    from cli.local.arxiv import replay_app
    from cli.local.arxiv.recorded import settings

    async with serving(replay_app(replay, tell), port) as url:
        for name, value in settings(url, replay).items():
            print(f"export {name}={value}")
        print("Give these to `paperwire up` or a fetcher. Serving until Ctrl-C.", file=sys.stderr)
        sys.stdout.flush()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
    return 0


def tell(asked: Asked) -> None:
    """A line for each request."""
    query = "&".join(f"{name}={value}" for name, value in asked.query.items())
    print(f"{asked.status} {asked.path}{'?' if query else ''}{query}", file=sys.stderr)
