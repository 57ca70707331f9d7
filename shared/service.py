"""How a service lives: probes first, then its resources, then the bus and its loops; and back in reverse."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import nats.errors
import uvicorn
from starlette.types import ASGIApp

from shared.bus import Bus
from shared.errors import Unavailable
from shared.metrics import Metrics
from shared.probes import probes
from shared.settings import ServiceSettings, stop

log = logging.getLogger(__name__)

MEASURE_SECONDS = 5.0
CRASH_PAUSE_SECONDS = 1.0
CANCEL_SECONDS = 2.5  # a loop may have a lease to give back
LINGER_SECONDS = 5  # for who is slow to read a page

Loop = Callable[[], Awaitable[None]]
Check = Callable[[], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class Web:
    """A public HTTP application and where it listens (port 0: a free one)."""

    app: ASGIApp
    host: str
    port: int


class Service:
    """One running service; `async with` it, or `run()` it until a signal."""

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        bus: Bus,
        metrics: Metrics,
        *,
        resources: Sequence[AbstractAsyncContextManager[Any]] = (),
        loops: Sequence[Loop] = (),
        checks: Mapping[str, Check] | None = None,
        web: Web | None = None,
        notes: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        """`checks` say why the service cannot work, `notes` what an operator should mend although it works."""
        self.name = name
        self.bus = bus
        self.metrics = metrics
        self.probe_port = 0
        self.web_port = 0
        self._settings = settings
        self._resources = resources
        self._loops = loops
        self._checks = checks or {}
        self._web = web
        self._notes = notes
        self._crashed: dict[str, str] = {}
        self._started = False
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._started = False
        await self._stack.aclose()

    async def _start(self) -> None:
        app = probes(self.metrics, self.problems, self._notes)
        self.probe_port = await self._serve(app, self._settings.probe_host, self._settings.probe_port)
        if self._web:
            self.web_port = await self._serve(self._web.app, self._web.host, self._web.port)
        for resource in self._resources:
            await self._stack.enter_async_context(resource)
        self._stack.push_async_callback(self.bus.stop)
        await self.bus.connect()
        await self._start_bus()
        for loop in (*self._loops, self._measure):
            await self._stack.enter_async_context(self._background(loop))
        self._started = True
        log.info("started", extra={"probe_port": self.probe_port, "web_port": self.web_port})

    async def _start_bus(self) -> None:
        """Start it when everything that it needs is provisioned, however often NATS goes away meanwhile."""
        told = False
        while True:
            with suppress(Unavailable, nats.errors.Error, TimeoutError):
                missing = await self.bus.missing()
                if not missing:
                    return await self.bus.start()
                if not told:
                    log.warning("waiting for `python -m shared.provision`", extra={"missing": missing})
                    told = True
            await asyncio.sleep(0.5)

    async def _serve(self, app: ASGIApp, host: str, port: int) -> int:
        """Serve until the service stops; the port it listens on."""
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            listener.close()
            stop([f"cannot listen on {host}:{port}: {error.strerror} (PROBE_PORT or WEB_PORT)"])
        listener.listen(1024)
        listener.setblocking(False)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            date_header=True,
            timeout_graceful_shutdown=LINGER_SECONDS,
        )
        server = _Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))

        async def close() -> None:
            server.should_exit = True
            await task
            listener.close()

        self._stack.push_async_callback(close)
        return int(listener.getsockname()[1])

    @asynccontextmanager
    async def _background(self, loop: Loop) -> AsyncIterator[None]:
        task = asyncio.create_task(self._keep_running(loop))
        try:
            yield
        finally:
            await _cancelled(task)

    async def _keep_running(self, loop: Loop) -> None:
        name = getattr(loop, "__name__", repr(loop))
        while True:
            try:
                await loop()
                return
            except Exception as error:
                log.exception("loop crashed, starting it again", extra={"loop": name})
                self._crashed[name] = repr(error)
            await asyncio.sleep(CRASH_PAUSE_SECONDS)
            self._crashed.pop(name, None)

    async def _measure(self) -> None:
        while True:
            with suppress(Unavailable, nats.errors.Error, TimeoutError):
                await self.bus.measure()
            self.metrics.ready.labels(self.name).set(0 if await self.problems() else 1)
            await asyncio.sleep(MEASURE_SECONDS)

    async def problems(self) -> list[str]:
        """Why this service is not ready; nothing when it is."""
        found = [await self.bus.ready()]
        found += [await check() for check in self._checks.values()]
        found += [f"loop {name} crashed: {error}" for name, error in self._crashed.items()]
        if not self._started:
            found.append("starting")
        return [problem for problem in found if problem]

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT, then finish what is in hand."""
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        wait = asyncio.create_task(stopping.wait())
        start = asyncio.create_task(self.__aenter__())
        await asyncio.wait({wait, start}, return_when=asyncio.FIRST_COMPLETED)
        if not start.done():  # still waiting for NATS, or to be provisioned
            await _cancelled(start)
            await self.__aexit__(None, None, None)  # it may have succeeded in the last moment
            return
        await start
        await wait
        log.info("stopping")
        await self.__aexit__(None, None, None)


async def _cancelled(task: asyncio.Task[Any]) -> None:
    """Cancel the task until it is done.

    On Python 3.11 `asyncio.wait_for` swallows a cancellation that comes together with its result.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=CANCEL_SECONDS)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the service decides when to stop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def main(name: str, build: Callable[[], Service], log_level: str) -> None:
    """The body of every service's `__main__`: build it inside the loop, and run it."""
    from shared import logs

    async def run() -> None:
        await build().run()

    logs.configure(name, log_level)
    try:
        import uvloop
    except ImportError:  # not on every platform
        asyncio.run(run())
    else:
        uvloop.run(run())
