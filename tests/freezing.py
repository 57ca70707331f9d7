"""Stopping a server so that it is there and does not answer."""

from __future__ import annotations

import signal

import psutil

from cli.local.nats import Nats
from tests.waiting import eventually


async def freeze(server: Nats) -> None:
    """Send SIGSTOP and wait until it has come: the signal goes through the process that holds the server's leash."""
    server.process.signal(signal.SIGSTOP)
    [command] = psutil.Process(server.process.leash_pid).children()
    await eventually(lambda: command.status() == psutil.STATUS_STOPPED)


def thaw(server: Nats) -> None:
    """Let it go on."""
    server.process.signal(signal.SIGCONT)
