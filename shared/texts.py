"""A paper's full text as it lies in the object store: written by the fetcher, read by the summarizers.

For internal use only: most e-prints may be read by a machine, but not be served by one.
"""

from __future__ import annotations

import zlib
from datetime import date
from typing import Literal
from urllib.parse import quote

from pydantic import Field

from shared.messages import Paper, Value

TextSource = Literal["html", "pdf"]
MAX_TEXT = 1024 * 1024
"""Characters of all sections together."""
MAX_STORED = 8 * MAX_TEXT
"""Bytes that a stored text may unpack to: four for a character, and JSON's quotes and escapes."""
GZIP = 16 + zlib.MAX_WBITS


class Section(Value):
    """A part of a paper under its own heading; paragraphs are lines. The heading may be empty."""

    heading: str = ""
    text: str


class FullText(Value):
    """The text of one version of a paper, and where it is from."""

    id: str
    version: int = Field(ge=1)
    source: TextSource
    url: str
    license: str | None = None
    fetched: date
    sha256: str
    """Of the document that it was taken from."""
    sections: tuple[Section, ...]

    def packed(self) -> bytes:
        """As stored: JSON, gzip. The same text gives the same bytes."""
        packer = zlib.compressobj(6, zlib.DEFLATED, GZIP)
        return packer.compress(self.model_dump_json().encode()) + packer.flush()


def text_name(paper: Paper) -> str:
    """The name of a version's text in the object store, without the slashes of old identifiers."""
    return quote(paper.versioned_id, safe="")


def unpacked(data: bytes) -> FullText:
    """The stored text; `ValueError` when it is none."""
    unpacker = zlib.decompressobj(GZIP)
    try:
        document = unpacker.decompress(data, MAX_STORED)
    except zlib.error as error:
        raise ValueError(f"no gzip: {error}") from error
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise ValueError(f"cut off, or more than {MAX_STORED} bytes")
    return FullText.model_validate_json(document)
