"""The whole of Paperwire on one machine: NATS, Postgres and the services, started, watched and stopped in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from cli.local import lock
from cli.local.nats import Nats
from cli.local.ports import LOOPBACK, Port
from cli.local.postgres import Postgres
from cli.local.processes import LocalError
from cli.local.service import LocalService

T = TypeVar("T")

SERVICES = ("fetcher", "scorer", "summarizer", "publisher")
READY_SECONDS = 60.0
USUAL_SECONDS = 5.0  # that a start takes; before, nobody wants to know what it waits for
MAX_RESTARTS = 3  # before everything is ready; afterwards there is no limit
WATCH_SECONDS = 0.1
ACK_WAIT = 10.0  # seconds until the work of a service that died is given to its successor


def silent(line: str) -> None:
    """Tell nobody."""
    del line


async def in_thread(work: Callable[..., T], *arguments: Any) -> T:
    """Run blocking work. When cancelled it is waited for all the same: nothing may start behind a stop's back."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def together(*works: Coroutine[Any, Any, None]) -> None:
    """Do them at the same time. When one fails the others are cancelled, and its error is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def provisioned(nats_url: str) -> bool:
    """Whether somebody has set this NATS up for Paperwire already; what they chose is then left alone."""
    import nats
    from nats.js.errors import NotFoundError

    from shared.provision import PAPERS

    try:
        connection = await nats.connect(nats_url, max_reconnect_attempts=3, reconnect_time_wait=0.5)
    except (OSError, TimeoutError, nats.errors.Error) as error:
        raise LocalError(f"NATS_URL: {nats_url} does not answer: {error or type(error).__name__}") from None
    try:
        await connection.jetstream().stream_info(PAPERS)
    except NotFoundError:
        return False
    finally:
        await connection.close()
    return True


async def migrated(database_url: str) -> None:
    """Bring the database to this program's schema."""
    import asyncpg

    from services.publisher.migrate import SchemaError, migrate

    try:
        await migrate(database_url)
    except (OSError, asyncpg.PostgresError, SchemaError) as error:
        raise LocalError(f"DATABASE_URL: the database cannot be used: {error or type(error).__name__}") from None


class Stack:
    """`async with Stack(…) as stack:` everything is up and ready inside, and gone after it.

    `environment` is what the services are to see; NATS_URL or DATABASE_URL in it are used in place of own servers.
    """

    def __init__(
        self,
        data: Path,
        environment: Mapping[str, str],
        *,
        port: int = 0,
        tell: Callable[[str], None] = silent,
    ) -> None:
        self.data = data.absolute()
        self.logs = self.data / "logs"
        self._environment = dict(environment)
        self._tell = tell
        self._wanted_port = port
        self._lock: int | None = None
        self._web: Port | None = None
        self.nats: Nats | None = None
        self.postgres: Postgres | None = None
        self.services: dict[str, LocalService] = {}

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def web_url(self) -> str:
        """Where the publisher answers on this machine."""
        return f"http://{LOOPBACK}:{self._web.number if self._web else 0}"

    @property
    def nats_url(self) -> str:
        return self._environment["NATS_URL"]

    @property
    def database_url(self) -> str:
        return self._environment["DATABASE_URL"]

    async def _start(self) -> None:
        """The services take longest to start and wait for what they need, so they start as early as they can."""
        self._lock = await in_thread(lock.acquire, self.data)
        self._web = Port(self._wanted_port)
        self._environment.setdefault("PUBLIC_URL", self.web_url)
        await self._start_nats()
        for name in SERVICES[:-1]:
            self._start_service(name)
        await together(self._provision(), self._start_postgres())
        self._start_service("publisher")
        await self._wait_until_ready()

    async def _start_nats(self) -> None:
        if "NATS_URL" in self._environment:
            return
        self._tell("starting NATS and Postgres")
        self.nats = Nats(self.data / "nats", self.logs / "nats.log", holds=self._holds)
        await in_thread(self.nats.start)
        self._environment["NATS_URL"] = self.nats.url

    async def _provision(self) -> None:
        from shared.provision import provision

        if self.nats or not await provisioned(self.nats_url):
            await provision(self.nats_url, ack_wait=float(self._environment.get("ACK_WAIT", ACK_WAIT)))

    async def _start_postgres(self) -> None:
        if "DATABASE_URL" not in self._environment:
            self.postgres = Postgres(self.data / "postgres", self.logs / "postgres.log", holds=self._holds)
            await in_thread(self.postgres.start)
            self._environment["DATABASE_URL"] = self.postgres.url
        else:
            self._tell("connecting to DATABASE_URL")
        await migrated(self.database_url)

    @property
    def _holds(self) -> tuple[int, ...]:
        return () if self._lock is None else (self._lock,)

    def _start_service(self, name: str) -> None:
        """Only the publisher is told where Postgres is."""
        environment = dict(self._environment)
        if name == "publisher":
            environment |= {"WEB_HOST": LOOPBACK, "WEB_PORT": self.web_url.rpartition(":")[2]}
        else:
            environment.pop("DATABASE_URL", None)
        self.services[name] = LocalService(name, environment, self.logs, self._holds)
        self.services[name].process.start()

    async def _wait_until_ready(self) -> None:
        began, told = time.monotonic(), ""
        deadline = began + READY_SECONDS
        while waiting := await in_thread(self._waiting):
            reason = "waiting for " + "; ".join(waiting)
            if told != reason and time.monotonic() > began + USUAL_SECONDS:
                self._tell(reason)
                told = reason
            self.check()
            for service in self.services.values():
                if service.restarts == MAX_RESTARTS and service.process.died:
                    raise service.process.failure(f"ended {MAX_RESTARTS + 1} times while it started")
            if time.monotonic() > deadline:
                raise LocalError(f"not ready within {READY_SECONDS:g} s: {reason}; the logs are in {self.logs}")
            await asyncio.sleep(WATCH_SECONDS)

    def _waiting(self) -> list[str]:
        return [reason for service in self.services.values() if (reason := service.waits_for())]

    def check(self) -> None:
        """Start services again that ended; the end of a server is an error."""
        for server in self._servers():
            if server.process and server.process.died:
                raise server.process.failure(f"ended with exit code {server.process.exit_code}")
        for service in self.services.values():
            service.revive(time.monotonic(), self._tell)

    def _servers(self) -> list[Nats | Postgres]:
        return [server for server in (self.nats, self.postgres) if server]

    async def watch(self) -> None:
        """Keep the services running until cancelled, or until a server has ended."""
        while True:
            self.check()
            await asyncio.sleep(WATCH_SECONDS)

    async def close(self) -> None:
        """Stop everything: first the services, all at once, then the servers they need."""
        await in_thread(self._stop)

    def _stop(self) -> None:
        for service in self.services.values():
            service.process.let_go()
        for service in self.services.values():
            service.process.stop()
            service.close()
        for server in self._servers():
            if server.process:
                server.process.let_go()
        for server in self._servers():
            server.close()
        if self._web:
            self._web.close()
        if self._lock is not None:
            lock.release(self._lock)
            self._lock = None
