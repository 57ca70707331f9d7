"""Liked papers as the fetcher stores them for the scorers: by arXiv id, and as the library at an address."""

from __future__ import annotations

import hashlib
import zlib
from datetime import datetime
from typing import Self

from shared.library import LikedPaper
from shared.messages import Value

MAX_UNPACKED = 64 * 1024 * 1024
"""Bytes that a stored library may unpack to."""
GZIP = 16 + zlib.MAX_WBITS


class StoredPaper(Value):
    """A liked paper."""

    id: str | None = None
    title: str
    abstract: str = ""

    @classmethod
    def of(cls, paper: LikedPaper) -> Self:
        """As it is stored."""
        return cls(id=paper.id, title=paper.title, abstract=paper.abstract)

    def liked(self) -> LikedPaper:
        """As it is used."""
        return LikedPaper(self.id, self.title, self.abstract)


class StoredLibrary(Value):
    """The papers that an address gave, and what the next conditional request needs."""

    url: str
    etag: str | None = None
    last_modified: str | None = None
    fetched: datetime
    sha256: str
    """Of the document."""
    papers: tuple[StoredPaper, ...] = ()
    problems: tuple[str, ...] = ()

    def packed(self) -> bytes:
        """As stored: JSON, gzip."""
        packer = zlib.compressobj(6, zlib.DEFLATED, GZIP)
        return packer.compress(self.model_dump_json().encode()) + packer.flush()

    @classmethod
    def unpacked(cls, data: bytes) -> Self:
        """What was stored; `ValueError` when that is something else."""
        unpacker = zlib.decompressobj(GZIP)
        try:
            document = unpacker.decompress(data, MAX_UNPACKED)
        except zlib.error as error:
            raise ValueError(f"no gzip: {error}") from error
        if unpacker.unconsumed_tail or not unpacker.eof:
            raise ValueError(f"cut off, or more than {MAX_UNPACKED} bytes")
        return cls.model_validate_json(document)


def key_of(identifier: str) -> str:
    """The key of a paper in the bucket, from its id without version."""
    return f"arxiv.{identifier}"


def library_name(url: str) -> str:
    """The name of a library in the object store: addresses may hold a password, and anything else."""
    return hashlib.sha256(url.encode()).hexdigest()
