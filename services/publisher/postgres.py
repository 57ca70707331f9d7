"""The way to Postgres: a pool that survives its server, and errors in the project's own terms."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from services.publisher import migrate
from shared.errors import Permanent, Unavailable
from shared.settings import stop

CONNECT_SECONDS = 3
COMMAND_SECONDS = 30
CLOSE_SECONDS = 5
CONNECTIONS = 8

# What passes by itself, or when an operator mends the server: never the fault of one message, as data errors are.
AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    asyncpg.TransactionRollbackError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
)

BROKEN = (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)

if TYPE_CHECKING:  # asyncpg's classes are generic only in their stubs
    Connection = PoolConnectionProxy[asyncpg.Record]


class Database:
    """The pool. It opens whether or not the server is there, and connects when it is first needed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def __aenter__(self) -> Self:
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=CONNECTIONS,
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            max_inactive_connection_lifetime=300,
            reset=_as_it_is,
            server_settings={"application_name": "paperwire-publisher", "jit": "off"},
            user=migrate.user_of(self._url),
        )
        await self._refuse_a_newer_schema()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            await asyncio.wait_for(pool.close(), CLOSE_SECONDS)
        except AWAY:
            pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection; an error about the data becomes `Permanent`, every other `Unavailable`."""
        if self._pool is None:
            raise Unavailable("Postgres is not opened yet")
        try:
            async with self._pool.acquire(timeout=CONNECT_SECONDS) as connection:
                yield connection
        except AWAY as error:
            if isinstance(error, BROKEN) and self._pool is not None:
                await self._pool.expire_connections()  # the idle ones are broken too
            raise Unavailable(_explained(error)) from error
        except asyncpg.DataError as error:
            raise Permanent(f"Postgres cannot store this: {error}") from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside a transaction, committed when the block ends well."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def ready(self) -> str | None:
        """None when the schema is there, else what is missing."""
        try:
            async with self.connection() as connection:
                return await migrate.missing(connection)
        except Unavailable as error:
            return str(error)

    async def _refuse_a_newer_schema(self) -> None:
        try:
            async with self.connection() as connection:
                await migrate.refuse_newer(connection)
        except Unavailable:  # the readiness check will say so
            return
        except migrate.SchemaError as error:
            await self._close()
            stop([str(error)])


async def _as_it_is(connection: migrate.AnyConnection) -> None:
    """Nothing here leaves a trace in its session, so asyncpg's reset would be a round trip for nothing."""


def _explained(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    if isinstance(error, asyncpg.UndefinedTableError | asyncpg.UndefinedColumnError):
        return f"Postgres lacks the schema ({text}): run `python -m services.publisher.migrate`"
    return f"Postgres does not answer: {text}"
