"""What a dead letter was about, as far as its body, or else its headers, can be read: they may be anything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.bus import DeadLetter
from shared.messages import SummaryCompleted, SummaryRequested, TextRequested

SUMMARY_SUBJECTS = frozenset((SummaryRequested.SUBJECT, SummaryCompleted.SUBJECT))
LARGEST_VERSION = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter as the accounts need it."""

    sequence: int
    digest: str
    subject: str
    consumer: str
    attempts: int
    reason: str
    batch: str | None
    paper_id: str | None
    version: int | None
    feeds: tuple[str, ...]
    """The feeds that had taken the paper, when it is a dead `papers.selected`."""
    summaries: tuple[tuple[str, int, str, str], ...]
    """The summaries that will not come: paper id, version, style, language."""

    @property
    def row(self) -> tuple[Any, ...]:
        """In the order of the table `dead_letters`."""
        return (
            *(self.sequence, self.digest, self.subject, self.consumer, self.attempts, self.reason),
            *(self.batch, self.paper_id, self.version, list(self.feeds)),
        )

    @property
    def summary_reason(self) -> str:
        """Why there is no summary, in words for readers."""
        return "it was given up after several tries"


def read(dead: DeadLetter) -> Letter:
    """The letter, with what its body tells, else its headers."""
    body, told = _body(dead.data), _headers(dead)
    paper = body.get("paper")
    paper = paper if isinstance(paper, dict) else {"id": body.get("paper_id"), "version": body.get("version")}
    paper_id = _text(paper.get("id")) or _text(told.get("paper_id"))
    version = _version(paper.get("version")) or _version(told.get("version"))
    return Letter(
        sequence=dead.sequence,
        digest=hashlib.sha256(dead.data).hexdigest()[:16],
        subject=_text(dead.subject) or "unknown",
        consumer=_text(dead.consumer) or "unknown",
        attempts=dead.attempts,
        reason=_text(dead.reason) or "unknown",
        batch=_text(body.get("batch")) or _text(told.get("batch")),
        paper_id=paper_id,
        version=version,
        feeds=_feeds(body.get("picks")),
        summaries=_summaries(dead.subject, told | body, paper_id, version),
    )


def _body(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _headers(dead: DeadLetter) -> dict[str, Any]:
    """`scored:arxiv:2025-12-10:2512.00001v2` about `2512.00001v2`, in the words of a body."""
    paper_id, _, version = dead.about.rpartition("v")
    told: dict[str, Any] = {"paper_id": paper_id}
    if version.isascii() and version.isdigit():
        told["version"] = int(version[:10])
    rest = dead.key.partition(":")[2]
    if rest.endswith(f":{dead.about}"):
        told["batch"] = rest.removesuffix(f":{dead.about}")
    elif rest.startswith(f"{dead.about}:"):
        kinds = rest.removeprefix(f"{dead.about}:")
        told["style"], _, told["language"] = kinds.partition(":")
        told["summaries"] = [{"style": one, "language": other} for one, _, other in _pairs(kinds)]
    return told


def _pairs(kinds: str) -> Iterator[tuple[str, str, str]]:
    """`structured/en,structured/de`, as the key of a request for a text has it."""
    return (kind.partition("/") for kind in kinds.split(","))


def _text(value: object) -> str | None:
    """A text that Postgres can store, or nothing."""
    if not isinstance(value, str):
        return None
    return value.replace("\x00", "").encode("utf-8", "ignore").decode() or None


def _version(value: object) -> int | None:
    return value if type(value) is int and 1 <= value <= LARGEST_VERSION else None


def _feeds(picks: object) -> tuple[str, ...]:
    if not isinstance(picks, list):
        return ()
    names = {_text(pick.get("feed")) for pick in picks if isinstance(pick, dict)}
    return tuple(sorted(name for name in names if name))


def _summaries(
    subject: str, body: dict[str, Any], paper_id: str | None, version: int | None
) -> tuple[tuple[str, int, str, str], ...]:
    if subject == TextRequested.SUBJECT:
        given = body.get("summaries")
        kinds = given if isinstance(given, list) else []
    else:
        kinds = [body] if subject in SUMMARY_SUBJECTS else []
    named = ((_text(kind.get("style")), _text(kind.get("language"))) for kind in kinds if isinstance(kind, dict))
    return tuple(
        (paper_id, version, style, language) for style, language in named if paper_id and version and style and language
    )
