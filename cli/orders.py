"""Giving the fetcher an order, and following what it tells about it until the order is done."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.local.processes import LocalError
from cli.progress import LINE_SECONDS

if TYPE_CHECKING:
    from shared.bus import Bus
    from shared.messages import FetchProgressed, FetchRequested

POLL_SECONDS = 0.5
CONNECT_SECONDS = 5.0
ENDED = ("done", "failed")

Show = Callable[["FetchProgressed"], None]


@asynccontextmanager
async def connected(nats_url: str) -> AsyncIterator[Bus]:
    """A bus that only sends and reads; an error says that nobody answers."""
    from shared.bus import Bus
    from shared.metrics import Metrics
    from shared.settings import ServiceSettings

    bus = Bus(ServiceSettings(nats_url=nats_url), "cli", Metrics("cli"))
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await bus.connect()
    except (OSError, TimeoutError):
        told = "does not answer; is the pipeline running there? Without --nats-url and NATS_URL an own one is started"
        raise LocalError(f"NATS_URL: {nats_url} {told}") from None
    try:
        yield bus
    finally:
        await bus.stop()


def address(nats_url: str | None) -> str | None:
    """Where a pipeline runs already, if somebody has said so."""
    return nats_url or os.environ.get("NATS_URL")


@asynccontextmanager
async def pipeline(nats_url: str | None, feeds: Path | None, data: Path) -> AsyncIterator[str]:
    """The address of the NATS that the order goes to: the given one, else that of a pipeline started for it."""
    if url := address(nats_url):
        yield url
        return
    from cli.local.follow import idle
    from cli.local.stack import Stack, in_thread
    from cli.progress import Lines
    from cli.up import environment

    async with Stack(data, environment(feeds), tell=Lines().say) as stack:
        watching = asyncio.create_task(stack.watch())
        try:
            yield stack.nats_url
            while not await in_thread(idle, stack):  # what was fetched is to be archived before everything stops
                await asyncio.sleep(POLL_SECONDS)
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


async def give(bus: Bus, order: FetchRequested) -> int:
    """Send it; its place in the stream. Given before with other arguments, it would silently be that one."""
    from nats.js.errors import NotFoundError

    from shared.messages import FetchRequested

    try:
        async for known in bus.read(FetchRequested):
            if known.event.order == order.order and known.event != order:
                raise LocalError(
                    f"the order {order.order!r} was given before with other arguments; choose another with --order"
                )
    except NotFoundError:
        raise LocalError("this NATS has no streams of Paperwire: is it the right one, and provisioned?") from None
    (place,) = await bus.publish(order)
    return place


async def follow(bus: Bus, order: str, place: int, show: Show) -> FetchProgressed:
    """Show the progress of the order at this place in the stream, to its last report. NATS may be away meanwhile."""
    from shared.errors import Unavailable
    from shared.messages import FetchProgressed

    last = None
    while True:
        with suppress(Unavailable):
            async for report in bus.read(FetchProgressed, from_sequence=place):
                place = report.sequence + 1
                if report.event.order == order:
                    last = report.event
            if last is not None:
                show(last)
                if last.state in ENDED:
                    return last
        await asyncio.sleep(POLL_SECONDS)


@dataclass(slots=True)
class Estimate:
    """How fast an order goes, from what was seen of it, and how much of it is left."""

    began: float | None = None
    first: FetchProgressed | None = None
    first_share: float = 0.0

    def rate(self, report: FetchProgressed, now: float) -> float:
        """Papers a second since the first report that was seen; 0 before a second one."""
        if self.began is None or self.first is None:
            self.began, self.first = now, report
        passed = now - self.began
        return (report.papers - self.first.papers) / passed if passed > 0 else 0.0

    def seconds_left(self, report: FetchProgressed, share: float, now: float) -> float | None:
        """By papers when their number is known, else by the share of the days that is done (0 to 1)."""
        if self.first is None:
            self.first_share = share
        rate = self.rate(report, now)
        if report.total is not None and rate > 0:
            return max(0, report.total - report.papers) / rate
        passed, done = now - (self.began or now), share - self.first_share
        return passed / done * (1 - share) if done > 0 and passed > 0 else None


def describe(report: FetchProgressed, rate: float, left: float | None) -> str:
    """One line about it."""
    papers = f"{report.papers:,}" + (f" of {report.total:,}" if report.total is not None else "") + " papers"
    parts = [papers, f"{rate:,.0f} papers/s"]
    if left is not None:
        parts.append(f"{clock(left)} left")
    if report.reached:
        parts.append(f"done to {report.reached}")
    if report.detail:
        parts.append(report.detail)
    return " · ".join(parts)


def clock(seconds: float) -> str:
    """`1:02:03`, `2:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Following:
    """Shows reports: a bar in a terminal, a line when something has changed elsewhere."""

    def __init__(self, opened: AsyncExitStack, share: Callable[[FetchProgressed], float]) -> None:
        self._share = share
        self._estimate = Estimate()
        self._tell = bar(opened)
        self._shown: FetchProgressed | None = None

    def show(self, report: FetchProgressed) -> None:
        """Tell what is new."""
        now = time.monotonic()
        share = 1.0 if report.state == "done" else self._share(report)
        left = None if report.state in ENDED else self._estimate.seconds_left(report, share, now)
        line = describe(report, self._estimate.rate(report, now), left)
        self._tell(line, share, report != self._shown and report.state in ENDED)
        self._shown = report


def bar(opened: AsyncExitStack) -> Callable[[str, float, bool], None]:
    """How to show a line and a share of the whole, `at once` or when it suits."""
    if not sys.stderr.isatty():
        return lines()
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}", markup=False))
    progress = opened.enter_context(Progress(*columns, console=Console(stderr=True)))
    task = progress.add_task("waiting for the fetcher", total=1.0)
    return lambda line, share, _: progress.update(task, description=line, completed=share)


def lines() -> Callable[[str, float, bool], None]:
    """A line when it has changed, at most one a second."""
    from cli.progress import Lines

    shown, at = "", 0.0

    def tell(line: str, share: float, at_once: bool) -> None:
        nonlocal shown, at
        del share
        if at_once or (line != shown and time.monotonic() >= at + LINE_SECONDS):
            shown, at = line, time.monotonic()
            Lines().say(line)

    return tell


async def carry_out(bus: Bus, order: FetchRequested, share: Callable[[FetchProgressed], float], parting: str) -> int:
    """Give the order and follow it to its end; the exit code. `parting` is told to whoever does not wait for that."""
    place = await give(bus, order)
    try:
        async with AsyncExitStack() as opened:
            last = await follow(bus, order.order, place, Following(opened, share).show)
    except asyncio.CancelledError:
        print(f"\n{parting}", file=sys.stderr, flush=True)
        raise
    if last.state == "failed":
        raise LocalError(f"the order {order.order} failed: {last.detail or 'no reason given'}")
    return 0
