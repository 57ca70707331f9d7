"""Runs one command and ends it when the process that asked for it is gone, however that one ended.

    python -I -S leash.py STOP_SIGNAL GRACE UID ACCOUNT COMMAND…

Standard input is the lifeline. A byte on it is a signal for the command; its end, which comes also when the
other side was killed with SIGKILL, ends the command: STOP_SIGNAL, after GRACE seconds SIGKILL for its process
group. UID -1 keeps the user. ACCOUNT, unless -1, is the uid that the command takes itself for (Linux: in a user
namespace), for programs that want their user to have a name. The exit code is the command's, 128 + n when
signal n ended it.

Nothing that the command started stays behind: the leash waits for what it adopted (on Linux it is the
subreaper, so that also covers Postgres' sessions, which leave the process group) before it ends itself.
Only light standard modules are imported: one leash runs per process of the stack.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
from contextlib import suppress

LIFELINE = 0
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36
CLONE_NEWUSER = 0x10000000
ORPHANS_GRACE = 2.0
ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}


def spawn(command: list[str], uid: int, account: int) -> int:
    """The pid of the command in a session of its own. Forking is safe here: there is only one thread."""
    leash = os.getpid()
    # A signal that comes before the child has its own handlers must wait, or ours would swallow it.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    pid = os.fork()
    if pid == 0:
        try:
            become(uid, account)
            die_with(leash)
            os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
        except OSError as error:
            os.write(2, f"cannot run {command[0]}: {error.strerror}\n".encode())
        finally:
            os._exit(127)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    return pid


def become(uid: int, account: int) -> None:
    """In the child: own session, no standard input, default signals, the wanted user."""
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), LIFELINE)
    for number in (*ENDING, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    if uid >= 0:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    if account >= 0:
        pass_for(account)


def pass_for(account: int) -> None:
    """Look like this user from inside; outside, on files and for permissions, nothing changes."""
    uid, gid = os.getuid(), os.getgid()
    prctl(PR_SET_DUMPABLE, 1)  # a change of user before this took /proc/self away
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), f"uid {uid} has no name here and no user namespace may be made for it")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{account} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123
            file.write(text)


def prctl(option: int, value: int) -> None:
    """Ask Linux for it; elsewhere the lifeline and the process group must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def die_with(leash: int) -> None:
    """Should the leash itself be killed, Linux kills the command. Set last: a change of user clears it."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != leash:
        os._exit(127)


def kill(pid: int, number: int) -> None:
    """A signal for the command, if it is still there."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def kill_group(pid: int) -> None:
    """SIGKILL for the command's process group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def end_orphans() -> None:
    """Wait for what the command left behind; kill what does not end by itself."""
    deadline = time.monotonic() + ORPHANS_GRACE
    with suppress(ChildProcessError):
        while True:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                if time.monotonic() > deadline:
                    kill_children()
                time.sleep(0.005)


def kill_children() -> None:
    """SIGKILL for every child (Linux only knows them without help)."""
    with suppress(OSError), open(f"/proc/self/task/{os.getpid()}/children") as children:  # noqa: PTH123
        for pid in children.read().split():
            kill(int(pid), signal.SIGKILL)


def listen_to_signals() -> int:
    """A file descriptor that gets a byte for each signal."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for number in (*ENDING, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return woken


def asked_to_end(pid: int, ready: list[int]) -> bool:
    """Pass the signals on the lifeline to the command; true when it was cut or the leash got a signal to end."""
    ending = False
    for descriptor in ready:
        received = os.read(descriptor, 64)
        if descriptor != LIFELINE:
            ending = ending or not ENDING.isdisjoint(received)
            continue
        ending = ending or not received
        for number in received:
            kill(pid, number)
    return ending


def hold(pid: int, woken: int, stop_signal: int, grace: float) -> int:
    """Watch the command until it has ended; its wait status."""
    watched, deadline = [LIFELINE, woken], float("inf")
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status
        left = deadline - time.monotonic()
        if left <= 0:
            kill_group(pid)
        ready, _, _ = select.select(watched, [], [], None if left == float("inf") else max(left, 0.1))
        if asked_to_end(pid, ready) and LIFELINE in watched:
            watched.remove(LIFELINE)
            kill(pid, stop_signal)
            deadline = time.monotonic() + grace


def main(stop_signal: str, grace: str, uid: str, account: str, *command: str) -> int:
    """Run the command on the leash; the exit code."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    woken = listen_to_signals()
    pid = spawn(list(command), int(uid), int(account))
    code = os.waitstatus_to_exitcode(hold(pid, woken, int(stop_signal), float(grace)))
    kill_group(pid)
    end_orphans()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
