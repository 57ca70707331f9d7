"""The way into `paperwire`, which imports nothing heavy: Ctrl-C ends it silently, also while the rest is imported."""

from __future__ import annotations

import signal
import sys
from io import TextIOWrapper
from types import FrameType


def main() -> None:
    """Run the command line."""
    leave_when_interrupted()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # letters that a terminal does not have are no reason to stop
            stream.reconfigure(errors="replace" if stream is sys.stdout else "backslashreplace")
    from cli.main import main as command_line

    command_line()


def leave_when_interrupted() -> None:
    """SIGINT unwinds and ends this program with 130, without a traceback; a command's own handler comes after it."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as it is under nohup, or behind a shell's &
        signal.signal(signal.SIGINT, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    del frame
    sys.exit(128 + number)
