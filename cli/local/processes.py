"""Child processes that never outlive their parent, with a log file each (`cli.local.leash` does the ending)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

LEASH = Path(__file__).with_name("leash.py")
POLL = 0.01


class LocalError(Exception):
    """The command cannot go on; the text is for people, the exit code for programs."""

    def __init__(self, text: str, exit_code: int = 1) -> None:
        super().__init__(text)
        self.exit_code = exit_code


@dataclass
class Process:
    """A command on a leash. It may be started again after it has ended."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    """Seconds between the stop signal and SIGKILL."""
    uid: int | None = None
    """The user to run as; only root can choose one."""
    account: int | None = None
    """The user to look like from inside (see `cli.local.leash`)."""
    folder: Path | None = None
    holds: Sequence[int] = ()
    """Open files (locks) that stay open until the command has ended, also when this process is gone before."""
    _began: int | None = field(default=None, init=False, repr=False)
    _leash: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)
    _wanted: bool = field(default=False, init=False, repr=False)

    def start(self) -> None:
        """Start the command; it need not be ready yet."""
        self.let_go()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        users = [str(-1 if user is None else user) for user in (self.uid, self.account)]
        options = (str(int(self.stop_signal)), str(self.grace), *users)
        with self.log.open("ab") as log:
            self._began = log.tell() if self._began is None else self._began
            self._leash = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LEASH), *options, *self.command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                bufsize=0,
                cwd=self.folder,
                env=self.environment,
                pass_fds=tuple(self.holds),
                start_new_session=True,  # Ctrl-C is for the parent, which stops everything in order
            )
        self._wanted = True

    @property
    def leash_pid(self) -> int | None:
        """The leash's pid, the parent of the command."""
        return self._leash.pid if self._leash else None

    @property
    def exit_code(self) -> int | None:
        """How the command ended (128 + n: by signal n), or None while it runs."""
        return self._leash.poll() if self._leash else 0

    @property
    def running(self) -> bool:
        return self.exit_code is None

    @property
    def died(self) -> bool:
        """Whether it ended although nobody here asked for it."""
        return self._wanted and not self.running

    def signal(self, number: signal.Signals) -> None:
        """Send the command a signal."""
        if self._leash and self._leash.stdin:
            with suppress(BrokenPipeError):
                self._leash.stdin.write(bytes([number]))

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, when the command has ended."""
        return self._leash.wait(timeout) if self._leash else 0

    def let_go(self) -> None:
        """Cut the lifeline: the command is told to stop, and is killed after its grace. Does not wait."""
        self._wanted = False
        if self._leash and self._leash.stdin:
            self._leash.stdin.close()

    def stop(self) -> None:
        """Stop the command and wait until it is gone."""
        self.let_go()
        self.wait()

    def kill(self) -> None:
        """End the command with SIGKILL, as a crash would."""
        self.signal(signal.SIGKILL)
        self.stop()

    def tail(self, lines: int = 20) -> str:
        """The end of its log, without what an earlier run has left there."""
        with suppress(OSError):
            text = self.log.read_bytes()[self._began :][-20_000:].decode("utf-8", "replace")
            return "\n".join(text.splitlines()[-lines:])
        return ""

    def failure(self, what: str, exit_code: int = 1) -> LocalError:
        """The error that says what went wrong and shows the end of the log."""
        return LocalError(f"{self.name} {what}; the end of {self.log}:\n{self.tail()}", exit_code)

    def wait_until(self, ready: Callable[[], bool], timeout: float) -> None:
        """Wait for the condition; an end of the command or of the time is an error."""
        deadline = time.monotonic() + timeout
        while not ready():
            if not self.running:
                raise self.failure(f"ended with exit code {self.exit_code} while it started")
            if time.monotonic() > deadline:
                raise self.failure(f"was not ready within {timeout:g} s")
            time.sleep(POLL)


def run_to_end(process: Process, timeout: float) -> None:
    """Run a command that ends by itself; anything but success is an error."""
    process.start()
    try:
        code = process.wait(timeout)
    except subprocess.TimeoutExpired:
        raise process.failure(f"did not end within {timeout:g} s") from None
    finally:
        process.stop()
    if code:
        raise process.failure(f"ended with exit code {code}")


def alive(pid: int) -> bool:
    """Whether a process with this pid exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def is_running(pid: int, program: str) -> bool:
    """Whether the process with this pid runs this program."""
    asked = subprocess.run(["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return Path(asked.stdout.strip()).name == program
