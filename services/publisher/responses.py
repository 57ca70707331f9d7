"""Bytes with everything HTTP wants to know about them, and the answer to a conditional request. Pure."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

SMALLEST_GZIP = 512


@dataclass(frozen=True, slots=True)
class Encoding:
    """One encoding of a body. The tag is the bytes' own, so two replicas give the same."""

    data: bytes
    etag: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """What an address holds, in every encoding, ready to be sent."""

    media_type: str
    modified: datetime
    plain: Encoding
    gzipped: Encoding | None
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, data: bytes, media_type: str, modified: datetime, headers: Mapping[str, str]) -> Body:
        """Compress and hash once; answering is then cheap."""
        digest = hashlib.sha256(data).hexdigest()[:32]
        packed = gzip.compress(data, 6, mtime=0) if len(data) >= SMALLEST_GZIP else data
        gzipped = Encoding(packed, f'"{digest}-gzip"', "gzip") if len(packed) < len(data) else None
        return cls(media_type, modified, Encoding(data, f'"{digest}"'), gzipped, headers)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, decided."""

    status: int
    headers: dict[str, str]
    data: bytes


def answer(
    method: str, request: Mapping[str, str], body: Body, *, max_age: int, status: int = 200, immutable: bool = False
) -> Answer:
    """The response to a GET or HEAD with these (lower-case) request headers."""
    chosen = body.gzipped if body.gzipped and _accepts_gzip(request.get("accept-encoding", "")) else body.plain
    headers = {
        "content-type": body.media_type,
        "etag": chosen.etag,
        "last-modified": format_datetime(body.modified, usegmt=True),
        "cache-control": f"public, max-age={max_age}{', immutable' if immutable else ''}",
        "vary": "Accept-Encoding",
        **body.headers,
    }
    if status == 200 and _unchanged(request, chosen.etag, body.modified):
        return Answer(304, headers, b"")
    if chosen.name:
        headers["content-encoding"] = chosen.name
    headers["content-length"] = str(len(chosen.data))
    return Answer(status, headers, b"" if method == "HEAD" else chosen.data)


def _unchanged(request: Mapping[str, str], etag: str, modified: datetime) -> bool:
    """Whether the client has these bytes. A date only counts without tags (RFC 9110, 13.2.2)."""
    if (tags := request.get("if-none-match")) is not None:
        known = [tag.strip().removeprefix("W/") for tag in tags.split(",")]
        return etag in known or "*" in known
    if (since := request.get("if-modified-since")) is not None:
        return _at_most(modified, since)
    return False


def _at_most(modified: datetime, since: str) -> bool:
    try:
        moment = parsedate_to_datetime(since)
    except (ValueError, OverflowError):
        return False
    return modified <= (moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _accepts_gzip(accepted: str) -> bool:
    """`gzip`, `gzip;q=0.5`, `*`; but not `gzip;q=0`."""
    qualities = {}
    for item in accepted.lower().split(","):
        name, _, weight = item.partition(";")
        qualities[name.strip()] = weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return qualities.get("gzip", qualities.get("*", False))
