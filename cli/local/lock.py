"""One stack at a time in a data folder."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from cli.local.processes import LocalError, alive

PATIENCE = 15.0  # for the processes of a stack whose parent was killed: they are about to end
POLL = 0.05


def acquire(folder: Path, patience: float = PATIENCE) -> int:
    """An open file that holds the lock until it is closed here and in every process that inherited it."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + patience
    while not _locked(descriptor):
        owner = _owner(descriptor)
        if (owner and alive(owner)) or time.monotonic() > deadline:
            os.close(descriptor)
            raise LocalError(
                f"{folder} is in use by another paperwire (process {owner or '?'}); stop it or give --data"
            )
        time.sleep(POLL)
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def _locked(descriptor: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _owner(descriptor: int) -> int:
    text = os.pread(descriptor, 20, 0)
    return int(text) if text.isdigit() else 0


def abandoned(folder: Path) -> bool:
    """Whether a process has held the lock of this folder and is gone."""
    with suppress(OSError, ValueError):
        return not alive(int((folder / "lock").read_text(encoding="ascii")))
    return False


def release(descriptor: int) -> None:
    """Give the folder back (as far as this process is concerned)."""
    os.close(descriptor)
