"""`paperwire up`: the whole pipeline on this machine, live."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from cli.local.processes import LocalError
from cli.local.service import EX_CONFIG
from cli.local.stack import Stack
from cli.progress import display

DATA = Path(".paperwire")
ASK_FOR_CONTACT = (
    "CONTACT is missing: arXiv asks programs to say whom to write to. Set it to your e-mail address, "
    "for example CONTACT=you@example.org paperwire up"
)
ASK_FOR_FEEDS = (
    "FEEDS_FILE is missing: say which papers you want, in a file like cli/data/feeds.toml of this project, "
    "and give it with --feeds feeds.toml"
)


def environment(feeds: Path | None) -> dict[str, str]:
    """What the services see; an error says what is missing."""
    found = dict(os.environ)
    if feeds:
        found["FEEDS_FILE"] = str(feeds.absolute())
    for names, question in ((("CONTACT", "CONTACT_FILE"), ASK_FOR_CONTACT), (("FEEDS_FILE",), ASK_FOR_FEEDS)):
        if not any(found.get(name) for name in names):
            raise LocalError(question, EX_CONFIG)
    path = Path(found["FEEDS_FILE"]).absolute()
    if not path.is_file():
        raise LocalError(f"FEEDS_FILE: there is no file {path}", EX_CONFIG)
    check(path)
    return found | {"FEEDS_FILE": str(path)}


def check(feeds: Path) -> None:
    """Tell every mistake in the feed configuration now, not from the log of a service."""
    from shared.feeds import FeedsError, load

    try:
        load(feeds)
    except FeedsError as error:
        raise LocalError(str(error), EX_CONFIG) from None


async def run(feeds: Path | None, port: int, data: Path) -> int:
    """Runs until a signal."""
    async with AsyncExitStack() as opened:
        with display() as shown:
            stack = Stack(data, environment(feeds), port=port, tell=shown.say)
            up = await opened.enter_async_context(stack)
        print(f"\nPage      {up.web_url}/\nStatus    {up.web_url}/status\nNATS      {up.nats_url}")
        if up.postgres:  # one's own may have a password in its address
            print(f"Postgres  {up.postgres.url}")
        print(f"Logs      {up.logs}\nRunning until Ctrl-C.", flush=True)
        with suppress(asyncio.CancelledError):
            await up.watch()
    return 0
