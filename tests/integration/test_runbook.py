"""The commands that docs/operations.md gives for dead letters, run as they stand there."""

from __future__ import annotations

import asyncio
import os
import re
import sys

import nats
import pytest

from shared.provision import DEAD, PAPERS
from tests.manifests import ROOT

BODY = b'{"paper": "rubbish"}'


def scripts() -> list[str]:
    """The Python programs between `<<'END'` and `END`, in the page's order."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    return re.findall(r"<<'END'\n(.*?)\nEND\n", page, re.DOTALL)


async def run(script: str, nats_url: str, **variables: str) -> str:
    """What a program prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-",
        env={**os.environ, "NATS_URL": nats_url, **variables},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(script.encode())
    assert process.returncode == 0
    return output.decode()


@pytest.fixture
async def dead_letter(nats_url: str) -> int:
    """The sequence of a dead letter, as the bus buries one."""
    connection = await nats.connect(nats_url)
    headers = {
        "Nats-Msg-Id": "dead:scorer:PAPERS:4",
        "Dead-Reason": "cannot be read: paper: wrong",
        "Dead-Attempts": "1",
        "Dead-Consumer": "scorer",
        "ce-type": "org.paperwire.papers.announced",
    }
    ack = await connection.jetstream().publish("dead.papers.announced", BODY, headers=headers, stream=DEAD)
    await connection.close()
    return int(ack.seq)


async def test_the_listing_shows_where_a_letter_died_and_why(nats_url: str, dead_letter: int) -> None:
    listing, _ = scripts()

    printed = await run(listing, nats_url)

    assert printed == f"{dead_letter} dead.papers.announced scorer cannot be read: paper: wrong\n"


async def test_a_letter_sent_again_is_the_message_that_it_was(nats_url: str, dead_letter: int) -> None:
    _, again = scripts()

    printed = await run(again, nats_url, SEQUENCE=str(dead_letter))

    assert printed == "sent again as message 1\n"
    connection = await nats.connect(nats_url)
    message = await connection.jetstream().get_msg(PAPERS, 1)
    await connection.close()
    assert (message.subject, message.data) == ("papers.announced", BODY)
    assert message.headers == {"ce-type": "org.paperwire.papers.announced"}
