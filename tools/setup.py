#!/usr/bin/env python3
"""Make `.venv` from a lock file: `tools/setup.py local` to run Paperwire, `tools/setup.py dev` to work on it.

Needs Python 3.11 or later and a package index, nothing else: the installer (uv) comes from the index too, and
every file is checked against the hash in the lock. Does nothing when all is there already.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"


def main(name: str) -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - this runs before anything has checked
        sys.exit(f"Paperwire needs Python 3.11 or later, this is {sys.version.split()[0]}. Try: make PYTHON=python3.12")
    lock = ROOT / "requirements" / f"{name}.txt"
    if not lock.exists():
        sys.exit(f"there is no lock {lock.relative_to(ROOT)}; choose local or dev")
    stamp = VENV / f".installed-{name}"
    digest = fingerprint(lock)
    if stamp.exists() and stamp.read_text() == digest:
        return
    print(f"Installing requirements/{name}.txt into .venv …", flush=True)
    if not (VENV / ".made").exists():
        make_venv()
    install("--require-hashes", "-r", str(lock))
    install("--no-deps", "--no-build-isolation", "-e", str(ROOT))
    for old in VENV.glob(".installed-*"):  # versions may have moved for the other sets too
        old.unlink()
    stamp.write_text(digest)


def fingerprint(lock: Path) -> str:
    parts = [lock.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), sys.version.encode(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def make_venv() -> None:
    """A virtual environment with uv in it."""
    if VENV.exists():
        shutil.rmtree(VENV)
    uv_lock = ["install", "-q", "--require-hashes", "-r", str(ROOT / "requirements" / "uv.txt")]
    if has("ensurepip"):
        run(sys.executable, "-m", "venv", str(VENV))
        run(str(PYTHON), "-m", "pip", *uv_lock)
    elif has("pip"):  # Debian without python3-venv
        run(sys.executable, "-m", "venv", "--without-pip", str(VENV))
        run(sys.executable, "-m", "pip", "--python", str(PYTHON), *uv_lock)
    else:
        sys.exit("python3 has neither ensurepip nor pip. On Debian and Ubuntu: apt-get install python3-venv")
    (VENV / ".made").touch()


def has(module: str) -> bool:
    """Whether the module can be imported by this Python."""
    return subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0


def install(*arguments: str) -> None:
    run(str(UV), "pip", "install", "-q", "--python", str(PYTHON), *arguments, env=uv_environment())


def uv_environment() -> dict[str, str]:
    """uv does not read pip's configuration: hand it the same index and certificates."""
    environment = dict(os.environ)
    if "UV_DEFAULT_INDEX" not in environment and "UV_INDEX_URL" not in environment:
        index = pip_setting("index-url")
        if index:
            environment["UV_DEFAULT_INDEX"] = index
    certificates = os.environ.get("PIP_CERT") or pip_setting("cert")
    if certificates:
        environment.setdefault("SSL_CERT_FILE", certificates)
    environment.setdefault("UV_HTTP_TIMEOUT", "180")
    return environment


def pip_setting(name: str) -> str:
    """A setting of pip's from the environment or its configuration files, or nothing."""
    command = [sys.executable, "-m", "pip", "config", "get", f"global.{name}"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return os.environ.get("PIP_" + name.replace("-", "_").upper()) or found.stdout.strip()


def run(*command: str, env: dict[str, str] | None = None) -> None:
    finished = subprocess.run(command, cwd=ROOT, env=env, check=False)
    if finished.returncode:
        sys.exit(f"failed ({finished.returncode}): {' '.join(command[:6])} …")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "dev")
