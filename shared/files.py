"""Reading a file that somebody named, whatever it turns out to be: never forever, and never more than is sensible."""

from __future__ import annotations

import os
import select
import stat
from pathlib import Path

PATIENCE_SECONDS = 10.0
PART = 1024 * 1024


class UnreadableFileError(Exception):
    """The file cannot be read; the text says why, to follow `FILE: cannot be read: `."""


def read_bytes(path: Path, most: int) -> bytes:
    """What the file, or a pipe that somebody writes to, holds: up to `most` bytes, and one more when there are more.

    `UnreadableFileError` when there is none, or a pipe in which nothing comes.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # opening a pipe waits for its writer otherwise
    except (OSError, ValueError) as error:
        raise UnreadableFileError(error.strerror if isinstance(error, OSError) else str(error)) from None
    try:
        return _read(handle, most + 1)
    except OSError as error:
        raise UnreadableFileError(error.strerror) from None
    finally:
        os.close(handle)


def _read(handle: int, wanted: int) -> bytes:
    parts: list[bytes] = []
    while wanted > 0:
        part = _part(handle, min(wanted, PART))
        if not part:
            break
        parts.append(part)
        wanted -= len(part)
    if not parts and stat.S_ISFIFO(os.fstat(handle).st_mode):
        raise UnreadableFileError("it is a pipe, and nobody writes to it")
    return b"".join(parts)


def _part(handle: int, most: int) -> bytes:
    try:
        return os.read(handle, most)
    except BlockingIOError:  # somebody has the pipe open, and has written nothing yet
        waiting = select.poll()  # select.select knows no handle above 1023
        waiting.register(handle, select.POLLIN)
        if not waiting.poll(PATIENCE_SECONDS * 1000):
            raise UnreadableFileError(f"nothing came from it for {PATIENCE_SECONDS:.0f} seconds") from None
        return os.read(handle, most)
