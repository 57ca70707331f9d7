"""Child processes end with their parent, however it ends, and take their own children with them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cli.local.processes import LocalError, Process, run_to_end
from tests.waiting import eventually_sync

STUBBORN = "trap '' INT TERM; echo up; while :; do sleep 1; done"
PARENT = """
import sys, time
from pathlib import Path
from cli.local.processes import Process
child = Process("child", ["/bin/sh", "-c", sys.argv[2]], Path(sys.argv[1]), grace=0.3)
child.start()
time.sleep(600)
"""


def gone(process: psutil.Process) -> bool:
    """Whether it has ended; a zombie that nobody has collected yet has."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "child.log"


@pytest.fixture
def parent(log: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own that has started a child running the given shell command."""
    with subprocess.Popen([sys.executable, "-c", PARENT, str(log), request.param]) as running:
        try:
            eventually_sync(lambda: log.exists() and log.read_text().startswith("up"))
            yield running
        finally:
            running.kill()


def descendants(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


BACKGROUND = "sleep 600 & setsid sleep 600 & echo up; wait"


@pytest.mark.parametrize("parent", ["echo up; exec sleep 600", STUBBORN, BACKGROUND], indirect=True)
def test_a_parent_killed_with_sigkill_leaves_no_process(parent: subprocess.Popen[bytes]) -> None:
    family = descendants(parent.pid)
    assert len(family) >= 2

    parent.kill()

    eventually_sync(lambda: all(gone(process) for process in family), message=f"{family} ended")


@pytest.mark.skipif(sys.platform != "linux", reason="needs the parent-death signal")
@pytest.mark.parametrize("parent", ["echo up; exec sleep 600"], indirect=True)
def test_a_killed_leash_takes_its_command_with_it(parent: subprocess.Popen[bytes]) -> None:
    leash, command = descendants(parent.pid)

    leash.kill()

    eventually_sync(lambda: gone(command))


def test_the_log_of_an_earlier_run_is_kept_and_not_told_again(log: Path) -> None:
    for word in ("earlier", "now"):
        process = Process("echo", ["/bin/echo", word], log)
        process.start()
        process.wait()
        process.stop()

    assert process.tail() == "now"
    assert log.read_text() == "earlier\nnow\n"


def test_a_stopped_process_had_the_time_to_end_in_order(log: Path) -> None:
    process = Process("tidy", ["/bin/sh", "-c", "trap 'echo bye; exit 3' TERM; echo up; sleep 600 & wait"], log)
    process.start()
    eventually_sync(lambda: process.tail() == "up")

    process.stop()

    assert (process.exit_code, process.tail()) == (3, "up\nbye")


def test_a_stop_right_after_the_start_is_not_lost(log: Path) -> None:
    started = time.monotonic()
    for _ in range(20):
        process = Process("brief", ["/bin/sleep", "600"], log, grace=30)
        process.start()
        process.stop()

    assert time.monotonic() - started < 30


def test_a_process_that_does_not_listen_is_killed_after_its_grace(log: Path) -> None:
    process = Process("stubborn", ["/bin/sh", "-c", STUBBORN], log, grace=0.3)
    process.start()
    eventually_sync(lambda: process.tail() == "up")
    started = time.monotonic()

    process.stop()

    assert process.exit_code == 128 + signal.SIGKILL
    assert time.monotonic() - started < 5


def test_an_end_that_nobody_asked_for_is_told_apart_from_a_stop(log: Path) -> None:
    process = Process("short", ["/bin/sh", "-c", "echo reason >&2; exit 7"], log)
    process.start()

    process.wait(10)

    assert (process.died, process.exit_code, process.tail()) == (True, 7, "reason")
    process.stop()
    assert not process.died


def test_a_command_that_fails_is_an_error_with_the_end_of_its_log(log: Path) -> None:
    with pytest.raises(LocalError, match=r"(?s)maker ended with exit code 4.*child\.log:\nno space"):
        run_to_end(Process("maker", ["/bin/sh", "-c", "echo no space; exit 4"], log), 10)


def test_a_missing_program_is_an_error_that_names_it(log: Path) -> None:
    with pytest.raises(LocalError, match="cannot run /no/such/program: No such file"):
        run_to_end(Process("missing", ["/no/such/program"], log), 10)


def test_a_process_may_be_started_again(log: Path) -> None:
    process = Process("again", ["/bin/sh", "-c", "echo $$; exec sleep 600"], log)
    process.start()
    eventually_sync(lambda: len(process.tail().split()) == 1)
    process.kill()

    process.start()

    eventually_sync(lambda: len(process.tail().split()) == 2)
    process.stop()
    first, second = (int(pid) for pid in process.tail().split())
    assert first != second


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can choose the user")
def test_root_can_run_a_process_as_another_user_without_its_groups(log: Path) -> None:
    process = Process("other", ["/bin/sh", "-c", "id -u; id -G"], log, uid=54321, folder=Path("/"))

    run_to_end(process, 10)

    assert process.tail() == "54321\n54321"
