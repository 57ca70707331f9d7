"""A whole Paperwire for a test: its own NATS and Postgres, a server like arXiv's, the services as processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

from cli import web
from cli.local.arxiv import ANY, UNAVAILABLE, Replay, replay_app
from cli.local.follow import idle
from cli.local.scratch import remove
from cli.local.service import LocalService
from cli.local.serving import serving
from cli.local.stack import Stack, in_thread
from tests.waiting import eventually

RECORDED = Path(__file__).parent.parent / "data" / "arxiv" / "rss"
FEEDS = Path(str(files("cli") / "data" / "feeds.toml"))
SLUGS = ("efficient-llm", "agents-and-reasoning", "all")
SUFFIXES = (".rss", ".atom", ".json", ".md", "")
PUBLIC_URL = "https://papers.example.org"


def recorded_day(day: int) -> bytes:
    """The combined announcement of that day of December 2025."""
    return (RECORDED / f"cs.AI+cs.CL+cs.DC+cs.LG.2025-12-{day:02}.xml").read_bytes()


class World:
    """What a test may do to it."""

    def __init__(self, stack: Stack, replay: Replay, environment: dict[str, str]) -> None:
        self.stack = stack
        self.replay = replay
        self.replicas: list[LocalService] = []
        self._environment = environment

    def announce(self, document: bytes) -> None:
        """arXiv's feed is now this."""
        self.replay.documents[ANY] = document
        self.replay.fault = None

    async def status(self) -> dict[str, Any]:
        """`/status.json`; an empty one while nobody answers."""
        with suppress(OSError):
            answer: dict[str, Any] = await in_thread(web.get_json, f"{self.stack.web_url}/status.json")
            return answer
        return {"batches": []}

    async def published(self, *batches: str, timeout: float = 90) -> None:
        """Wait until these batches are complete and nothing is under way."""

        async def done() -> bool:
            complete = {batch["batch"] for batch in (await self.status())["batches"] if batch["complete"]}
            return complete >= set(batches) and await in_thread(idle, self.stack)

        await eventually(done, timeout=timeout, message=f"{batches} not published")

    async def snapshot(self, base: str | None = None) -> dict[str, bytes]:
        """The bytes of every feed and page."""
        paths = [f"/feeds/{slug}{suffix}" for slug in SLUGS for suffix in SUFFIXES] + ["/", "/feeds.opml"]
        return {path: await in_thread(self.page, path, base or self.stack.web_url) for path in paths}

    def page(self, path: str, base: str) -> bytes:
        """One page, which must be there."""
        code, body = web.get(f"{base}{path}", 10)
        assert code == 200, f"{path} answered {code}: {body[:200]!r}"
        return body

    async def add_replica(self, name: str, number: int = 2) -> str:
        """Start another replica of a service beside the first; the address of its probes."""
        environment = dict(self._environment) | {"NATS_URL": self.stack.nats_url}
        if name == "publisher":
            environment |= {"DATABASE_URL": self.stack.database_url, "WEB_PORT": "0"}
        replica = LocalService(name, environment, self.stack.logs / str(number), ())
        self.replicas.append(replica)
        replica.process.start()
        await eventually(lambda: in_thread(lambda: replica.waits_for() is None), timeout=30)
        return replica.probe_url

    async def revive(self) -> None:
        """Start every service again that was killed, for ever, as Kubernetes would."""
        while True:
            for service in self.stack.services.values():
                service.revive(time.monotonic(), lambda line: None)
            await asyncio.sleep(0.05)

    async def restart(self, server: str) -> None:
        """Kill NATS or Postgres and start it again on the same port and data."""
        process: Any = {"nats": self.stack.nats, "postgres": self.stack.postgres}[server]
        await in_thread(process.kill)
        await in_thread(process.start)

    def close(self) -> None:
        """End the replicas."""
        for replica in self.replicas:
            replica.process.stop()
            replica.close()


@asynccontextmanager
async def world(folder: Path, document: bytes | None = None, *, feeds: Path = FEEDS) -> AsyncIterator[World]:
    """Everything up and ready. Without a document arXiv answers 503 until one is announced."""
    replay = Replay({ANY: document} if document else {})
    replay.fault = None if document else UNAVAILABLE
    async with serving(replay_app(replay)) as url:
        environment = {
            "CONTACT": "test@localhost",
            "FEEDS_FILE": str(feeds),
            "ARXIV_RSS_URL": f"{url}/rss",
            "ARXIV_SITE_URL": url,
            "ARXIV_INTERVAL": "0",
            "POLL_INTERVAL": "0.2",
            "RETRY_DELAY": "0.2",
            "LEASE_SECONDS": "1",
            "ACK_WAIT": "2",
            "PUBLIC_URL": PUBLIC_URL,
        }
        try:
            async with Stack(folder, environment) as stack:
                here = World(stack, replay, environment)
                try:
                    yield here
                finally:
                    await in_thread(here.close)
        finally:
            await in_thread(remove, folder)  # as root, Postgres has its data elsewhere


async def undisturbed(folder: Path, document: bytes, batch: str) -> dict[str, bytes]:
    """What readers see after a run in which nothing goes wrong."""
    async with world(folder, document) as quiet:
        await quiet.published(batch)
        return await quiet.snapshot()


Disturb = Callable[[World], Awaitable[None]]
