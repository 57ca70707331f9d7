"""Reads one document in a process of its own, with limits: `python -m services.fetcher.texts.worker html MiB SECONDS`.

The document comes on standard input; the answer is one JSON object on standard output: `sections`, or `no_text` with
the reason. Whatever else happens to this process is an answer, too: see `extract`.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from contextlib import suppress

from services.fetcher.texts.sections import NoText
from shared.texts import Section

MIB = 1024 * 1024


def limit(memory: int, seconds: int) -> None:
    """From here on: so many MiB of addresses, so many seconds of the processor and of the clock, no files."""
    limits = (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory * MIB),
    )
    for what, most in limits:
        with suppress(ValueError, OSError):  # macOS takes no RLIMIT_AS; the limits on time hold there, too
            resource.setrlimit(what, (most, most))
    signal.alarm(seconds)  # also when the service that waits for the answer is gone


def read(kind: str, document: bytes) -> tuple[Section, ...]:
    """The sections of the document."""
    if kind == "html":
        from services.fetcher.texts import html

        return html.parse(document)
    from services.fetcher.texts import pdf

    return pdf.parse(document)


def answer(kind: str, document: bytes) -> dict[str, object]:
    """What goes to standard output."""
    try:
        return {"sections": [section.model_dump() for section in read(kind, document)]}
    except NoText as reason:
        return {"no_text": str(reason)}
    except MemoryError:
        return {"no_text": "reading it takes too much memory"}
    except Exception as error:  # noqa: BLE001 - whatever a document does to the reader, it has no text
        return {"no_text": f"the reader stumbled: {type(error).__name__}: {str(error)[:200]}"}


def main(kind: str, memory: str, seconds: str) -> None:
    limit(int(memory), int(seconds))
    sys.stdout.write(json.dumps(answer(kind, sys.stdin.buffer.read())))


if __name__ == "__main__":
    main(*sys.argv[1:4])
