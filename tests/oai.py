"""OAI-PMH answers, recorded and written, for the fetcher's tests."""

from __future__ import annotations

import lzma
from pathlib import Path

FOLDER = Path(__file__).parent / "data" / "arxiv" / "oai"
PAGE_1, PAGE_2, LAST_PAGE = (f"listrecords_arXiv_cs_2016-03-09_page{number}.xml" for number in ("001", "002", "103"))
RAW_1, RAW_2 = (f"listrecords_arXivRaw_new_server_2026-09-27_page{number}.xml" for number in (1, 2))
NEW_SERVER = "listrecords_arXiv_new_server_2026-09-20_3.xml"
MIXED = "getrecord_arXiv_mixed_12.xml"


def recorded(name: str) -> bytes:
    """A recorded answer; the large ones are kept compressed."""
    path = FOLDER / name
    return path.read_bytes() if path.exists() else lzma.decompress((FOLDER / f"{name}.xz").read_bytes())


def a_record(
    identifier: str = "2512.00001",
    *,
    metadata: str | None = None,
    datestamp: str = "2025-12-10",
    status: str = "",
) -> str:
    """One record as the server writes it; the texts are put in as they are."""
    header = f"<identifier>oai:arXiv.org:{identifier}</identifier><datestamp>{datestamp}</datestamp>"
    body = f"<metadata>{in_arxiv(identifier) if metadata is None else metadata}</metadata>" if not status else ""
    return f"<record><header{status}>{header}</header>{body}</record>"


def in_arxiv(
    identifier: str = "2512.00001",
    *,
    authors: str = "<author><keyname>Lovelace</keyname><forenames>Ada</forenames></author>",
    more: str = "<created>2025-12-08</created>",
) -> str:
    """The form `arXiv`."""
    return (
        f'<arXiv xmlns="http://arxiv.org/OAI/arXiv/"><id>{identifier}</id>{more}<authors>{authors}</authors>'
        "<title>A title</title><categories>cs.AI cs.LG</categories><abstract>  An abstract.\n</abstract></arXiv>"
    )


def in_raw(identifier: str = "2512.00001", *, versions: str, authors: str = "Ada Lovelace") -> str:
    """The form `arXivRaw`."""
    return (
        f'<arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/"><id>{identifier}</id>{versions}<title>A title</title>'
        f"<authors>{authors}</authors><categories>cs.AI</categories><abstract>An abstract.</abstract></arXivRaw>"
    )


def a_page(*records: str, token: str = "") -> bytes:
    """An answer with these records."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
        f"<responseDate>2026-09-27T17:03:37Z</responseDate><ListRecords>{''.join(records)}{token}</ListRecords>"
        "</OAI-PMH>"
    ).encode()
