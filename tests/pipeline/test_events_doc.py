"""The consumer in docs/events.md is run as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli.local.stack import in_thread
from tests.pipeline.world import recorded_day, world

DOCUMENT = Path(__file__).parents[2] / "docs" / "events.md"

pytestmark = pytest.mark.timeout(120)


def documented_program() -> str:
    """The Python block of the page."""
    [program] = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    return str(program)


async def test_a_third_party_reads_what_was_published(tmp_path: Path) -> None:
    program = tmp_path / "my_program.py"
    program.write_text(documented_program(), encoding="utf-8")
    async with world(tmp_path / "world", recorded_day(10)) as here:
        await here.published("arxiv:2025-12-10")
        batches = (await here.status())["batches"]
        finished = await in_thread(run, program, here.stack.nats_url)
    lines = [line.split("\t") for line in finished.stdout.splitlines()]
    assert finished.stderr == ""
    assert len(lines) == len({line[0] for line in lines}) == batches[0]["published"] == 43
    assert ["published:efficient-llm:2512.08829", "1"] in [line[:2] for line in lines]


def run(program: Path, nats_url: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NATS_URL": nats_url}
    return subprocess.run(
        [sys.executable, str(program)], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
