"""A real Chromium, driven over its debugging pipe: no driver, no websocket, nothing downloaded."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-default-apps --disable-extensions --disable-dev-shm-usage "
    "--hide-scrollbars --remote-debugging-pipe about:blank"
)
TIMEOUT = 60.0
# Chromium reads commands from descriptor 3 and writes answers to descriptor 4.
BOOTSTRAP = (
    "import os,sys; os.dup2(int(sys.argv[1]),3); os.dup2(int(sys.argv[2]),4); os.execv(sys.argv[3],sys.argv[3:])"
)


def found() -> str | None:
    """The browser's path, if this machine has one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class BrowserError(AssertionError):
    """The browser refused a command or did not answer."""


class Browser:
    """A running browser with an empty profile."""

    def __init__(self, executable: str, profile: Path) -> None:
        from_browser, to_us = _pipe()
        from_us, to_browser = _pipe()
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                BOOTSTRAP,
                str(from_us),
                str(to_us),
                executable,
                *FLAGS.split(),
                f"--user-data-dir={profile}",
            ],
            pass_fds=(from_us, to_us),
            env={**os.environ, "HOME": str(profile), "XDG_CONFIG_HOME": str(profile), "XDG_CACHE_HOME": str(profile)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(from_us)
        os.close(to_us)
        self._reading, self._writing = from_browser, to_browser
        self._buffer = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def command(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """The answer to a command; events that come meanwhile are kept."""
        self._number += 1
        order: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session:
            order["sessionId"] = session
        os.write(self._writing, json.dumps(order).encode() + b"\0")
        deadline = time.monotonic() + TIMEOUT
        while True:
            answer = self._next(deadline, method)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def event(self, method: str, session: str) -> dict[str, Any]:
        """The next event of that name, perhaps one that came already; it is taken out."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            for event in self.events:
                if event.get("method") == method and event.get("sessionId") == session:
                    self.events.remove(event)
                    return event
            self.events.append(self._next(deadline, method))

    def close(self) -> None:
        """End the browser and all its children."""
        with contextlib.suppress(BrowserError, OSError):
            self.command("Browser.close")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._reading)
        os.close(self._writing)

    def _next(self, deadline: float, what: str) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._reading], [], [], max(0.0, deadline - time.monotonic()))
            received = os.read(self._reading, 1 << 20) if ready else b""
            if not received:
                raise BrowserError(f"{what}: the browser {'is gone' if ready else f'did not answer in {TIMEOUT} s'}")
            self._buffer += received
        message, _, self._buffer = self._buffer.partition(b"\0")
        parsed: dict[str, Any] = json.loads(message)
        return parsed


def _pipe() -> tuple[int, int]:
    """A pipe whose ends are far from descriptors 3 and 4, which the child needs."""
    ends = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in ends)
    for end in ends:
        os.close(end)
    return high[0], high[1]


class Tab:
    """One page in the browser."""

    def __init__(self, browser: Browser, *, width: int = 1100, dark: bool = False, scripts: bool = True) -> None:
        self._browser = browser
        self._target = browser.command("Target.createTarget", url="about:blank")["targetId"]
        attached = browser.command("Target.attachToTarget", targetId=self._target, flatten=True)
        self._session: str = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._command(f"{domain}.enable")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._command("Emulation.setEmulatedMedia", features=[scheme])
        self._command("Emulation.setScriptExecutionDisabled", value=not scripts)
        self._command(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 500
        )

    def open(self, url: str) -> None:
        self._command("Page.navigate", url=url)
        self._browser.event("Page.loadEventFired", self._session)

    def value(self, expression: str) -> Any:
        """What the expression gives in the page."""
        answer = self._command("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise BrowserError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """A key as a person presses it."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27}
        text = {} if key in codes else {"text": key}
        code = codes.get(key, ord(key[0].upper()))
        self._command("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **text)
        self._command("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def requests(self) -> list[str]:
        """Every address this tab asked for."""
        asked = self._events("Network.requestWillBeSent")
        return [str(event["params"]["request"]["url"]) for event in asked]

    def complaints(self) -> list[str]:
        """Errors and warnings of the page, as the console shows them."""
        logged = [str(event["params"]["entry"]["text"]) for event in self._events("Log.entryAdded")]
        thrown = [str(event["params"]) for event in self._events("Runtime.exceptionThrown")]
        return logged + thrown

    def close(self) -> None:
        self._browser.command("Target.closeTarget", targetId=self._target)

    def _events(self, method: str) -> list[dict[str, Any]]:
        self._command("Runtime.evaluate", expression="0")  # what happened before has arrived when this is answered
        mine = (event for event in self._browser.events if event.get("sessionId") == self._session)
        return [event for event in mine if event.get("method") == method]

    def _command(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.command(method, self._session, **parameters)
