from __future__ import annotations

import asyncio
import time

from services.summarizer.gate import Gate
from tests.waiting import eventually


class Lanes:
    """Calls through a gate that stay inside until they are let go."""

    def __init__(self, gate: Gate, count: int) -> None:
        self.inside = 0
        self._gate = gate
        self._leave = asyncio.Semaphore(0)
        self.tasks = [asyncio.create_task(self._call()) for _ in range(count)]

    async def _call(self) -> None:
        async with self._gate:
            self.inside += 1
            await self._leave.acquire()
            self.inside -= 1
        self._gate.welcome()

    def let_go(self, count: int) -> None:
        for _ in range(count):
            self._leave.release()


async def test_a_gate_lets_so_many_in_and_the_next_when_one_leaves() -> None:
    lanes = Lanes(Gate(3), 5)
    await eventually(lambda: lanes.inside == 3)

    lanes.let_go(5)

    await asyncio.wait_for(asyncio.gather(*lanes.tasks), timeout=5)


async def test_nobody_passes_a_closed_gate() -> None:
    gate = Gate()
    began = time.monotonic()

    gate.close(0.1)
    async with gate:
        assert time.monotonic() - began >= 0.09


async def test_after_a_rate_limit_half_as_many_calls_run_at_once() -> None:
    gate = Gate()
    before = Lanes(gate, 4)
    await eventually(lambda: before.inside == 4)

    gate.close(0)
    waiting = Lanes(gate, 4)
    before.let_go(3)
    await eventually(lambda: before.inside == 1)
    await eventually(lambda: waiting.inside >= 1)

    assert before.inside + waiting.inside < 4
    before.let_go(1)
    waiting.let_go(4)
    await asyncio.wait_for(asyncio.gather(*before.tasks, *waiting.tasks), timeout=5)


async def test_success_brings_the_lanes_back() -> None:
    gate = Gate(4)
    gate.close(0)
    for _ in range(12):
        gate.welcome()

    lanes = Lanes(gate, 4)

    await eventually(lambda: lanes.inside == 4)
    lanes.let_go(4)
    await asyncio.wait_for(asyncio.gather(*lanes.tasks), timeout=5)
