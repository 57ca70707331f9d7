"""Who may call the model now: nobody during a pause that the server asked for, fewer lanes after it."""

from __future__ import annotations

import asyncio
from types import TracebackType


class Gate:
    """`async with gate` waits until a call is allowed. The number of calls at once halves with every
    `close` and grows back slowly with every call that was `welcome`.
    """

    def __init__(self, calls: int = 64) -> None:
        self._most = float(calls)
        self._allowed = float(calls)
        self._running = 0
        self._opens_at = 0.0
        self._left = asyncio.Event()

    async def __aenter__(self) -> None:
        while True:
            wait = self._opens_at - asyncio.get_running_loop().time()
            if wait > 0:
                await asyncio.sleep(wait)
            elif self._running >= int(self._allowed):
                self._left.clear()
                await self._left.wait()
            else:
                self._running += 1
                return

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running -= 1
        self._left.set()

    def close(self, seconds: float) -> None:
        """Let nobody through for that long."""
        self._opens_at = max(self._opens_at, asyncio.get_running_loop().time() + seconds)
        self._allowed = max(1.0, min(self._allowed, self._running) / 2)

    def welcome(self) -> None:
        """A call went well."""
        self._allowed = min(self._most, self._allowed + 1 / self._allowed)
        self._left.set()
