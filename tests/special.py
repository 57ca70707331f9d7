"""Recorded papers that are hard to store or show: thousands of authors, formulas in titles, talk of withdrawals."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from shared.messages import Paper
from tests.announcements import a_feed, an_item

FILE = Path(__file__).parent / "data" / "papers" / "special.jsonl.xz"


def rows() -> list[dict[str, Any]]:
    """All of them as recorded, each with what it is `about`: `authors`, `latex` or `withdrawn`."""
    return [json.loads(line) for line in lzma.decompress(FILE.read_bytes()).splitlines()]


def special(about: str) -> list[Paper]:
    """Those of one sort."""
    return [Paper.model_validate(row | {"version": 1}) for row in rows() if row["about"] == about]


def announcement() -> bytes:
    """All of them, as arXiv announces papers."""
    return a_feed(*(_item(row) for row in rows()))


def _item(row: dict[str, Any]) -> str:
    return an_item(
        guid=f"oai:arXiv.org:{row['id']}v1",
        title=escape(row["title"]),
        creator=escape(", ".join(row["authors"])),
        abstract=escape(row["abstract"]),
    )
