"""One of the four services as a process of this machine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from cli import web
from cli.local.ports import LOOPBACK, Port
from cli.local.processes import Process

EX_CONFIG = 78
PAUSES = (0.5, 1, 2, 5, 10, 30)  # before a service is started again, growing with each time it ended


class LocalService:
    """One service as a process, with the address of its probes."""

    def __init__(self, name: str, environment: Mapping[str, str], logs: Path, holds: tuple[int, ...]) -> None:
        self.name = name
        self._probe = Port()
        self.probe_url = f"http://{LOOPBACK}:{self._probe.number}"
        self.restarts = 0
        self._start_at = 0.0
        probe = {"PROBE_HOST": LOOPBACK, "PROBE_PORT": str(self._probe.number)}
        # -P: a folder named `services` where the command was given must not be taken for ours
        command = [sys.executable, "-P", "-m", f"services.{name}"]
        log = logs / f"{name}.log"
        self.process = Process(name, command, log, environment={**environment, **probe}, holds=holds)

    def revive(self, now: float, tell: Callable[[str], None]) -> None:
        """Start it again after its pause, if it ended unasked. A wrong configuration ends the run."""
        if not self.process.died:
            self._start_at = 0.0
        elif self.process.exit_code == EX_CONFIG:
            raise self.process.failure("cannot start", EX_CONFIG)
        elif not self._start_at:
            self._start_at = now + PAUSES[min(self.restarts, len(PAUSES) - 1)]
            tell(f"{self.name} ended with exit code {self.process.exit_code}:\n{self.process.tail(5)}")
        elif now >= self._start_at:
            self.restarts += 1
            self.process.start()
            tell(f"{self.name} started again")

    def waits_for(self) -> str | None:
        """Why it is not ready, or None."""
        try:
            status, _ = web.get(f"{self.probe_url}/readyz", 2)
            problems = [] if status == 200 else web.get_json(f"{self.probe_url}/readyz", 2)["problems"]
        except OSError:
            return f"{self.name}: starting"
        return f"{self.name}: {', '.join(problems)}" if problems else None

    def close(self) -> None:
        """Give its port back."""
        self._probe.close()
