"""Waiting for a condition with a deadline, so that no test sleeps for a fixed time."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")

PAUSE = 0.02


@overload
async def eventually(condition: Callable[[], Awaitable[T]], *, timeout: float = 10, message: str = "") -> T: ...
@overload
async def eventually(condition: Callable[[], T], *, timeout: float = 10, message: str = "") -> T: ...
async def eventually(condition: Callable[[], T | Awaitable[T]], *, timeout: float = 10, message: str = "") -> T:
    """The condition's first true value. A failed assertion in it counts as not yet."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            value = condition()
            found = await value if inspect.isawaitable(value) else value
        except AssertionError as not_yet:
            found, why = None, str(not_yet)
        else:
            why = f"the last value was {found!r}"
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{message or 'the condition did not come true'} within {timeout} s: {why}")
        await asyncio.sleep(PAUSE)


def eventually_sync(condition: Callable[[], T], *, timeout: float = 10, message: str = "") -> T:
    """`eventually` for tests without an event loop."""
    return asyncio.run(eventually(condition, timeout=timeout, message=message))
