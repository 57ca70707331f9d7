"""`paperwire fetch --from FILE… --dry-run`: what a recorded document holds, without any server."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from cli.progress import printable
from services.fetcher.sources import forms
from services.fetcher.sources.document import MAX_DOCUMENT, UnusableDocument
from services.fetcher.sources.forms import Reading

PAPERS, UNREAD, EMPTY, UNUSABLE = 0, 1, 3, 4
STDIN = Path("-")


def run(files: Sequence[Path], as_json: bool) -> int:
    """Print the papers of all files to stdout, and what else is to be told to stderr.

    The exit code: 1 when a file could not be opened, else 4 when a document must not be used, else 0 when there was
    a paper, else 3. All files are looked at, whatever the others are.
    """
    codes = {_show(file, as_json) for file in files}
    return next((code for code in (UNREAD, UNUSABLE, PAPERS) if code in codes), EMPTY)


def _show(file: Path, as_json: bool) -> int:
    try:
        document = _document(file)
    except OSError as error:
        _tell(file, f"cannot be read: {error.strerror or error}")
        return UNREAD
    form = forms.recognise(document)
    try:
        reading = forms.read(document)
    except UnusableDocument as error:
        _tell(file, f"{form}: must not be used: {error}")
        return UNUSABLE
    papers = len(reading.items)
    _tell(file, f"{form}: {papers or 'no'} paper{'' if papers == 1 else 's'}")
    for reason in reading.rejected:
        _tell(file, f"left out: {reason}")
    for row in rows(reading):
        typer.echo(json.dumps(row, ensure_ascii=False) if as_json else printable(_line(row)))
    return PAPERS if papers else EMPTY


def _document(file: Path) -> bytes:
    """As much as a parser takes and a byte more, by which it knows; a device may have no end."""
    if file == STDIN:
        return sys.stdin.buffer.read(MAX_DOCUMENT + 1)
    with file.open("rb") as opened:
        return opened.read(MAX_DOCUMENT + 1)


def _tell(file: Path, text: str) -> None:
    name = "standard input" if file == STDIN else str(file)
    typer.echo(printable(f"{name}: {text}"), err=True)


def rows(reading: Reading) -> list[dict[str, Any]]:
    """Everything that is known of each paper, ready for JSON."""
    return [
        {
            **paper.model_dump(mode="json"),
            "kind": kind,
            "dates": {name: day.isoformat() for name, day in dates.items()},
            "form": reading.form,
        }
        for (paper, kind), dates in zip(reading.items, reading.dates, strict=True)
    ]


def _line(row: dict[str, Any]) -> str:
    """A paper for people: `2512.08242v1  new  2025-12-10  cs.DC cs.LG  Title`."""
    day = next(iter(row["dates"].values()), "no date")
    return "  ".join((f"{row['id']}v{row['version']}", row["kind"], day, " ".join(row["categories"]), row["title"]))
