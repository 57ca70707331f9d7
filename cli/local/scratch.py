"""Temporary data folders, removed at the end, or by the next run when there was no end."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cli.local import lock, places
from cli.local.processes import LocalError

PREFIX, KEPT = "paperwire-demo-", "paperwire-kept-"


@contextmanager
def scratch(keep: bool) -> Iterator[Path]:
    """A fresh folder. Kept ones have another name and are never removed."""
    sweep()
    folder = Path(tempfile.mkdtemp(prefix=KEPT if keep else PREFIX))
    try:
        yield folder
    finally:
        if not keep:
            remove(folder)


def remove(folder: Path) -> None:
    """Remove a data folder and what of it lies elsewhere."""
    places.remove_elsewhere(folder / "postgres")
    shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Remove this user's temporary folders whose processes were killed before they could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError, LocalError):
            own = folder.lstat().st_uid == os.geteuid() and not folder.is_symlink()
            if own and lock.abandoned(folder):
                held = lock.acquire(folder, patience=0)
                remove(folder)
                lock.release(held)
