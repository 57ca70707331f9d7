"""A document to sections in a subprocess: what crashes, hangs or swells there is only an answer here."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from services.fetcher.texts.sections import NoText
from shared.texts import MAX_STORED, Section, TextSource

WORKER = "services.fetcher.texts.worker"
TIMES_UP = frozenset((signal.SIGALRM, signal.SIGXCPU, signal.SIGKILL))


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one document may take."""

    memory: int = 384
    """MiB of addresses."""
    seconds: int = 30
    """Of the processor, and of the clock."""
    output: int = MAX_STORED
    """Bytes of the answer."""


LIMITS = Limits()


class Answer(BaseModel):
    """What the subprocess writes."""

    sections: tuple[Section, ...] = ()
    no_text: str | None = None


async def extract(kind: TextSource, document: bytes, limits: Limits = LIMITS) -> tuple[Section, ...]:
    """The document's sections; `NoText` says why there are none."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", WORKER, kind, str(limits.memory), str(limits.seconds)),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env={name: value for name, value in os.environ.items() if name.startswith("PYTHON")},  # no secret goes there
    )
    try:
        async with asyncio.timeout(limits.seconds + 1):
            output = await _exchange(process, document, limits.output)
            code = await process.wait()
    except TimeoutError:
        raise NoText(f"reading it takes more than {limits.seconds} s") from None
    finally:
        await _end(process)
    return _understood(code, output, limits)


async def _exchange(process: Process, document: bytes, most: int) -> bytes:
    """Give the document, take the answer. The worker writes only when it has read everything."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(ConnectionError):  # it died early; its exit code tells more
        process.stdin.write(document)
        await process.stdin.drain()
        process.stdin.close()
    output = bytearray()
    while chunk := await process.stdout.read(65_536):
        output += chunk
        if len(output) > most:
            raise NoText(f"the reader's answer is longer than {most} bytes")
    return bytes(output)


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


def _understood(code: int, output: bytes, limits: Limits) -> tuple[Section, ...]:
    if code < 0 and -code in TIMES_UP:
        raise NoText(f"reading it takes more than {limits.seconds} s")
    if code != 0:
        told = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise NoText(f"the reader crashed on it ({told})")
    try:
        answer = Answer.model_validate_json(output)
    except ValidationError as error:
        raise NoText(f"the reader's answer cannot be read: {error.error_count()} errors") from None
    if not answer.sections:
        raise NoText(answer.no_text or "the reader found no section")
    return answer.sections
