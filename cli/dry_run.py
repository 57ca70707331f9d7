"""`paperwire fetch --from FILE… --dry-run`: what a recorded document holds, without any server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from services.fetcher.sources import forms
from services.fetcher.sources.document import UnusableDocument
from services.fetcher.sources.forms import Reading

PAPERS, EMPTY, UNUSABLE = 0, 3, 4


def run(files: Sequence[Path], as_json: bool) -> int:
    """Print the papers of all files to stdout, and what else is to be told to stderr.

    The exit code: 4 when a document must not be used, else 0 when there was a paper, else 3.
    """
    codes = {_show(file, as_json) for file in files}
    return UNUSABLE if UNUSABLE in codes else min(codes, default=EMPTY)


def _show(file: Path, as_json: bool) -> int:
    document = file.read_bytes()
    form = forms.recognise(document)
    try:
        reading = forms.read(document)
    except UnusableDocument as error:
        typer.echo(f"{file}: {form}: must not be used: {error}", err=True)
        return UNUSABLE
    papers = len(reading.items)
    typer.echo(f"{file}: {form}: {papers or 'no'} paper{'' if papers == 1 else 's'}", err=True)
    for reason in reading.rejected:
        typer.echo(f"{file}: left out: {reason}", err=True)
    for row in rows(reading):
        typer.echo(json.dumps(row, ensure_ascii=False) if as_json else _line(row))
    return PAPERS if papers else EMPTY


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
