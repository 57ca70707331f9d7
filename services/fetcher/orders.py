"""Orders to the fetcher: durable, the same however often they are given, and answered with progress events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import date
from typing import Any, Literal, Self, TypeVar
from weakref import WeakValueDictionary

from pydantic import ValidationError

from services.fetcher.core import DAY
from services.fetcher.lease import Lease
from services.fetcher.slot import Slot, key_of
from shared.bus import Bus, Received
from shared.errors import Elsewhere, Permanent, Unavailable
from shared.messages import FetchProgressed, FetchRequested
from shared.verdict import MAX_ATTEMPTS

log = logging.getLogger(__name__)

T = TypeVar("T")

KIND = "order"
LANES = 4  # orders in hand at once, so that a small one does not wait for a long one; the pace is kept all the same


class OrderFailed(Exception):  # noqa: N818 - an answer, not an accident
    """The order cannot be carried out, and trying again would not help; the text goes to whoever gave it."""


class Duty:
    """Whether this replica is the one to work: it holds the lease and is not being stopped."""

    def __init__(self, bus: Bus, lease: Lease) -> None:
        self._bus = bus
        self._lease = lease

    def check(self) -> None:
        """`Elsewhere` when it is not: the order goes back, for the replica that holds the lease."""
        if self._bus.stopping.is_set() or not self._lease.held:
            raise Elsewhere("this replica does not hold the lease")

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        """Its result; or `Elsewhere`, and the work cancelled, once this is no longer the one to work."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                self.check()
                await self._until(task)
            return await task
        finally:
            task.cancel()

    async def _until(self, task: asyncio.Future[Any]) -> None:
        ends = [asyncio.ensure_future(self._bus.stopping.wait()), asyncio.ensure_future(self._lease.lost(DAY))]
        try:
            await asyncio.wait([task, *ends], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    async def pause(self, seconds: float) -> None:
        """Wait, while this is the one to work."""
        if seconds > 0:
            await self.during(asyncio.sleep(seconds))


class Report:
    """Tells how far an order is; what is not said stays as it was. `await report(papers=…, reached=…)`."""

    def __init__(self, bus: Bus, duty: Duty, order: str, slot: Slot[FetchProgressed]) -> None:
        self._bus = bus
        self._duty = duty
        self._order = order
        self._slot = slot

    @classmethod
    async def open(cls, bus: Bus, duty: Duty, order: str) -> Self:
        """Go on where the last report of this order ended."""
        return cls(bus, duty, order, await Slot[FetchProgressed].open(bus, key_of(KIND, order), FetchProgressed))

    @property
    def last(self) -> FetchProgressed | None:
        """What was told last."""
        return self._slot.value

    async def __call__(
        self,
        *,
        papers: int | None = None,
        total: int | None = None,
        reached: date | None = None,
        detail: str | None = None,
    ) -> None:
        """Tell it, and find out whether to go on: `Elsewhere` when the lease is lost."""
        told = {"papers": papers, "total": total, "reached": reached}
        known = {name: value for name, value in told.items() if value is not None}
        await self.send("running", **known, detail=detail)
        self._duty.check()

    async def send(self, state: Literal["started", "running", "done", "failed"], **changes: object) -> None:
        """The step is counted before it is told: a death between the two leaves a gap, never a step told twice."""
        last = self.last
        before = last.model_dump() if last else {"order": self._order}
        event = FetchProgressed.model_validate(
            before | {"step": last.step + 1 if last else 0, "state": state, **changes}
        )
        await self._slot.write(event)
        await self._bus.publish(event)


Handle = Callable[[FetchRequested, Report], Awaitable[None]]
"""Carries an order out. It may be called again after a death, and then goes on; `OrderFailed` ends the order."""


class Orders:
    """Takes orders while the lease is held, and gives each to the handler of its kind."""

    def __init__(self, bus: Bus, lease: Lease, duty: Duty, handlers: Mapping[str, Handle]) -> None:
        self._bus = bus
        self._duty = duty
        self._handlers = handlers
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        bus.on(FetchRequested, "fetcher-orders", self.handle, lanes=LANES, gate=lease.wait)

    async def handle(self, received: Received[FetchRequested]) -> None:
        """Do it and answer; an order that was done is only answered again, one in hand when that has ended."""
        lock = self._locks.setdefault(received.event.order, asyncio.Lock())
        async with lock:
            self._duty.check()
            await self._alone(received)

    async def _alone(self, received: Received[FetchRequested]) -> None:
        order = received.event
        report = await Report.open(self._bus, self._duty, order.order)
        if report.last and report.last.state == "done":
            await report.send("done")
            return
        log.info("order in hand", extra={"order": order.order, "what": order.what, "attempt": received.attempt})
        await report.send("running" if report.last else "started", detail=None)
        try:
            await self._carry_out(order, report)
        except OrderFailed as error:
            log.warning("order failed", extra={"order": order.order, "reason": str(error)})
            await report.send("failed", detail=str(error))
        except (Elsewhere, Unavailable):
            raise
        except Exception as error:
            await self._trouble(report, received.attempt, error)
            raise

    async def _carry_out(self, order: FetchRequested, report: Report) -> None:
        handle = self._handlers.get(order.what)
        if handle is None:
            raise OrderFailed(f"this fetcher cannot do {order.what!r}; it can do {', '.join(sorted(self._handlers))}")
        await handle(order, report)
        await report.send("done")
        log.info("order done", extra={"order": order.order, "papers": report.last.papers if report.last else 0})

    async def _trouble(self, report: Report, attempt: int, error: Exception) -> None:
        """Whoever waits for the order learns what the bus is about to do with it."""
        text = f"{type(error).__name__}: {error}"[:300]
        final = attempt >= MAX_ATTEMPTS or isinstance(error, (Permanent, ValidationError))
        with suppress(Elsewhere, Unavailable):
            await report.send("failed" if final else "running", detail=text)
