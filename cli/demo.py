"""`paperwire demo`: a recorded announcement through the whole pipeline, on this machine alone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from cli import export
from cli.local.follow import until_published
from cli.local.scratch import scratch
from cli.local.serving import serving
from cli.local.stack import Stack
from cli.progress import display

ANNOUNCEMENT, FEEDS = "announcement-2025-12-10.xml", "feeds.toml"
PUBLISH_SECONDS = 120.0
NOT_OURS = ("NATS_URL", "DATABASE_URL", "FEEDS_FILE")  # the demo has its own


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    once: bool
    out: Path | None
    port: int
    data: Path | None
    keep: bool
    faults: tuple[str, ...] = ()


async def run(options: Options) -> int:
    """Exit code 0 when everything was published."""
    if options.out:
        export.prepare(options.out)
    async with AsyncExitStack() as opened:
        data, feeds = opened.enter_context(folder(options)), opened.enter_context(feeds_file())
        upstream = await opened.enter_async_context(arxiv(options.faults))
        with display() as shown:
            stack = Stack(data, environment(feeds, upstream), port=options.port, tell=shown.say)
            up = await opened.enter_async_context(stack)
            await until_published(up, shown.show, PUBLISH_SECONDS)
        if options.out:
            await asyncio.to_thread(export.write, up.web_url, feeds, options.out)
        tell_addresses(up, feeds)
        if not options.once:
            print("Serving until Ctrl-C.", flush=True)
            with suppress(asyncio.CancelledError):
                await up.watch()
    return 0


@contextmanager
def folder(options: Options) -> Iterator[Path]:
    """The data folder: the given one, or a temporary one."""
    if options.data:
        yield options.data
        return
    with scratch(options.keep) as temporary:
        yield temporary


@contextmanager
def feeds_file() -> Iterator[Path]:
    """The example feeds."""
    with as_file(files("cli") / "data" / FEEDS) as path:
        yield path


def announcement() -> bytes:
    """The recorded one."""
    return (files("cli") / "data" / ANNOUNCEMENT).read_bytes()


@asynccontextmanager
async def arxiv(faults: Sequence[str] = ()) -> AsyncIterator[dict[str, str]]:
    """The settings that lead to a server which answers like arXiv with the recorded announcement."""
    from cli.arxiv import faults as read
    from cli.local.arxiv import Replay, replay_app
    from cli.local.arxiv.recorded import settings

    replay = Replay.of(announcement())
    replay.faults.extend(read(faults))
    async with serving(replay_app(replay)) as url:
        yield settings(url, replay)


def environment(feeds: Path, upstream: Mapping[str, str]) -> dict[str, str]:
    """What the services see: nothing of this machine's own Paperwire settings but those of the language model."""
    inherited = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in NOT_OURS}
    return {
        "CONTACT": "demo@localhost",
        **inherited,
        "FEEDS_FILE": str(feeds),
        **upstream,
        "RETRY_DELAY": "1",
    }


def tell_addresses(stack: Stack, feeds: Path) -> None:
    """Where everything is."""
    print(f"\nPage      {stack.web_url}/")
    for slug in export.slugs(feeds):
        for name, suffix in export.FEEDS.items():
            print(f"{name:<9} {stack.web_url}/feeds/{slug}{suffix}")
    print(f"Status    {stack.web_url}/status\nNATS      {stack.nats_url}")
    print(f"Postgres  {stack.postgres.url}\n" if stack.postgres else "", flush=True)
