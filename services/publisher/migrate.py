"""Brings the database to the schema of this program: numbered SQL files, applied once each and in order."""

from __future__ import annotations

import asyncio
import getpass
import hashlib
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import asyncpg
from asyncpg.pool import PoolConnectionProxy

LOCK = 0x7061706572  # "paper": any number, the same in every process
WAIT_SECONDS = 30.0
EX_CONFIG = 78

if TYPE_CHECKING:  # asyncpg's classes are generic only in their stubs
    PlainConnection = asyncpg.Connection[asyncpg.Record]
    AnyConnection = PlainConnection | PoolConnectionProxy[asyncpg.Record]

LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations (
  version    integer PRIMARY KEY,
  name       text NOT NULL,
  checksum   text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)"""


class SchemaError(Exception):
    """The database and this program do not fit together; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> tuple[Migration, ...]:
    """The files of this program, in order."""
    folder = resources.files("services.publisher") / "migrations"
    found = [
        Migration(int(file.name[:4]), file.name, file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if re.fullmatch(r"\d{4}_\w+\.sql", file.name)
    ]
    return tuple(sorted(found, key=lambda migration: migration.version))


async def migrate(url: str) -> list[str]:
    """Apply what is missing; the names of the files that were. Several processes may do it at once."""
    connection = await _connect(url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        await connection.execute(LEDGER)
        applied = await _applied(connection)
        known = migrations()
        _check(applied, known)
        return [await _apply(connection, step) for step in known if step.version not in applied]
    finally:
        await connection.close()


async def missing(connection: AnyConnection) -> str | None:
    """What this program needs and the database lacks, in words for an operator."""
    applied = await _applied(connection)
    names = [step.name for step in migrations() if step.version not in applied]
    if not names:
        return None
    return f"Postgres lacks the schema {', '.join(names)}: run `python -m services.publisher.migrate`"


async def refuse_newer(connection: AnyConnection) -> None:
    """`SchemaError` when a newer program has changed the database."""
    _check_newer(await _applied(connection), migrations())


def user_of(url: str) -> str | None:
    """The account that runs this, where the address names no user; its number when it has no name, as in containers.

    asyncpg would fail with a `KeyError` there; so Postgres says what is missing.
    """
    parts = urlsplit(url)
    if parts.username or "user" in parse_qs(parts.query) or os.environ.get("PGUSER"):
        return None
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


async def _connect(url: str) -> PlainConnection:
    """A connection, waiting a little for a server that is just starting."""
    deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
    while True:
        try:
            return await asyncpg.connect(url, timeout=5, user=user_of(url))
        except (OSError, asyncpg.CannotConnectNowError):
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.5)


async def _applied(connection: AnyConnection) -> dict[int, str]:
    """The checksums of the applied versions; none for a database that was never migrated."""
    if await connection.fetchval("SELECT to_regclass('schema_migrations')") is None:
        return {}
    rows = await connection.fetch("SELECT version, checksum FROM schema_migrations")
    return {row["version"]: row["checksum"] for row in rows}


def _check(applied: dict[int, str], known: Sequence[Migration]) -> None:
    _check_newer(applied, known)
    for step in known:
        if applied.get(step.version, step.checksum) != step.checksum:
            raise SchemaError(
                f"{step.name} differs from what was applied to this database: "
                "restore the file, and put the change into a new one"
            )


def _check_newer(applied: dict[int, str], known: Sequence[Migration]) -> None:
    newest = known[-1].version
    if unknown := [version for version in applied if version > newest]:
        raise SchemaError(
            f"the database has schema {max(unknown)}, this program knows up to {newest}: "
            "start a newer program, or restore an older database"
        )


async def _apply(connection: AnyConnection, step: Migration) -> str:
    async with connection.transaction():
        await connection.execute(step.sql)
        await connection.execute(
            "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)",
            step.version,
            step.name,
            step.checksum,
        )
    return step.name


def main() -> None:
    """`python -m services.publisher.migrate`: migrate `DATABASE_URL`."""
    from services.publisher.settings import database_url

    try:
        applied = asyncio.run(migrate(database_url()))
    except SchemaError as error:
        sys.stderr.write(f"paperwire: {error}\n")
        raise SystemExit(EX_CONFIG) from None
    except (OSError, asyncpg.PostgresError) as error:
        sys.stderr.write(f"paperwire: cannot migrate: {error or type(error).__name__}\n")
        raise SystemExit(os.EX_UNAVAILABLE) from None
    sys.stderr.write(f"paperwire: applied {', '.join(applied)}\n" if applied else "paperwire: schema is current\n")


if __name__ == "__main__":
    main()
