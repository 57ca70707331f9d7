"""A server that writes down every connection, and a process that asks it through the pace gate."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise

from services.fetcher.download import Downloader
from services.fetcher.pace import Pace
from shared.bus import Bus
from shared.metrics import Metrics
from shared.settings import ServiceSettings

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Connection:
    """From the moment that it was opened to the moment that the client closed it."""

    began: float
    ended: float = float("inf")
    contact: str = ""
    """What stands in brackets in the User-Agent."""


@dataclass
class Recorder:
    """Answers after `delay` seconds, and never closes a connection by itself."""

    delay: float = 0.0
    connections: list[Connection] = field(default_factory=list)
    open: int = 0
    most_open: int = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        now = asyncio.get_running_loop().time
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        self.connections.append(connection := Connection(now()))
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            connection.contact = head.decode().partition("(+")[2].partition(")")[0]
            reading = asyncio.create_task(reader.read())  # ends when the client closes
            await asyncio.wait([reading], timeout=self.delay)
            if not reading.done():
                writer.write(ANSWER)
                await reading
        connection.ended = now()
        self.open -= 1
        writer.close()

    def pauses(self) -> list[float]:
        """The seconds between the end of each connection and the beginning of the next."""
        return [later.began - earlier.ended for earlier, later in pairwise(self.connections)]

    def contacts(self) -> list[str]:
        """Who asked, in order."""
        return [connection.contact for connection in self.connections]


@asynccontextmanager
async def recording(recorder: Recorder) -> AsyncIterator[str]:
    """The recorder's address."""
    server = await asyncio.start_server(recorder, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@asynccontextmanager
async def a_downloader(
    nats_url: str, *, contact: str = "test", interval: float = 0.0, expiry: float = 15.0, total: float = 60.0
) -> AsyncIterator[Downloader]:
    """A replica's way to the sources, with a connection to NATS of its own."""
    bus = Bus(ServiceSettings(nats_url=nats_url), "test", Metrics("test"))
    await bus.connect()
    try:
        async with Downloader(Pace(bus, interval=interval, expiry=expiry), contact, total=total) as downloader:
            yield downloader
    finally:
        await bus.stop()


async def ask_for_ever(nats_url: str, url: str, interval: float, expiry: float) -> None:
    """Ask again and again, under this process's number."""
    async with a_downloader(nats_url, contact=str(os.getpid()), interval=interval, expiry=expiry) as downloader:
        while True:
            await downloader.fetch(url, accept="*/*")


def main(arguments: Sequence[str]) -> None:
    nats_url, url, interval, expiry = arguments
    asyncio.run(ask_for_ever(nats_url, url, float(interval), float(expiry)))


if __name__ == "__main__":
    main(sys.argv[1:])
