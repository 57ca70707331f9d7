"""OAI-PMH answers over recorded `ListRecords` pages, in the form of arXiv's server of 2025.

https://www.openarchives.org/OAI/openarchivesprotocol.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from xml.sax.saxutils import escape, quoteattr

ERRORS = {
    "badVerb": "Value of the verb argument is not a legal OAI-PMH verb, the verb argument is missing, or repeated.",
    "badArgument": "The request includes illegal arguments, is missing required arguments, includes a repeated "
    "argument, or values for arguments have an illegal syntax.",
    "badResumptionToken": "The value of the resumptionToken argument is invalid or expired. "
    "Reason: Token decoding failed or format is invalid.",
    "cannotDisseminateFormat": "The metadata format identified by the value given for the metadataPrefix argument is "
    "not supported by the item or by the repository.",
    "noRecordsMatch": "The combination of the values of the from, until, set and metadataPrefix arguments results in "
    "an empty list.",
}
NO_SUCH_SET = "There is no such set."
FORMATS = ("oai_dc", "arXiv", "arXivRaw")
ERROR = """<?xml version="1.0" encoding="UTF-8"?>
<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">
  <responseDate>2026-09-14T18:12:00Z</responseDate>
  <request{attributes}>https://oaipmh.arxiv.org/oai</request>
  <error code="{code}">{text}</error>
</OAI-PMH>
"""
_ARGUMENTS = frozenset({"verb", "metadataPrefix", "from", "until", "set", "resumptionToken"})
_SET = re.compile(r"[A-Za-z-]+(:[A-Za-z-]+){0,2}")
_TOKEN = re.compile(rb"(<resumptionToken\b[^>/]*)(?:/>|>[^<]*</resumptionToken>)")
_END = re.compile(rb"\s*</ListRecords>")
_FORM = re.compile(rb"<(arXiv|arXivRaw|oai_dc:dc)[ >]")
_CHANGED = re.compile(rb"<datestamp>(\d{4}-\d\d-\d\d)")

Page = bytes | Callable[[], bytes]


class Illegal(Exception):  # noqa: N818 - the protocol's errors are answers
    """An error of the protocol, by its code."""

    def __init__(self, code: str, text: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.text = text


class Repository:
    """Recorded pages by metadata prefix and the day of change of their records. May be changed while it serves."""

    def __init__(self) -> None:
        self.pages: dict[str, dict[date, Sequence[Page]]] = {}
        """A page that can be called is made when it is asked for: it may differ each time."""
        self.generation = 1
        """Tokens of earlier generations have expired."""

    def add(self, page: bytes) -> bool:
        """One more recorded page, in its own form and on the last day in it; whether there are records in it."""
        form, days = _FORM.search(page), _CHANGED.findall(page)
        if not form or not days or not _END.search(page):
            return False
        prefix = "oai_dc" if form[1] == b"oai_dc:dc" else form[1].decode()
        listed = self.pages.setdefault(prefix, {})
        day = date.fromisoformat(max(days).decode())
        listed[day] = [*listed.get(day, ()), page]
        return True

    def answer(self, query: Mapping[str, str], *, empty: bool = False) -> bytes:
        """A page with the token of the next, or the protocol's error. An `empty` list is the error that says so."""
        try:
            wanted = self._wanted(query)
            pages = [] if empty else self._between(wanted)
            if wanted.number >= len(pages):
                raise Illegal("badResumptionToken" if wanted.number and not empty else "noRecordsMatch")
        except Illegal as illegal:
            return error(illegal.code, query, illegal.text)
        token = replace(wanted, number=wanted.number + 1).token() if wanted.number + 1 < len(pages) else ""
        page = pages[wanted.number]
        return leading_to(token, page() if callable(page) else page)

    def _wanted(self, query: Mapping[str, str]) -> Place:
        if query.get("verb") != "ListRecords":
            raise Illegal("badVerb")
        token = query.get("resumptionToken")
        if token is None:
            return first_place(query, self.generation)
        if query.keys() - {"verb", "resumptionToken"}:
            raise Illegal("badArgument")
        place = Place.of_token(token)
        if place is None or place.generation != self.generation:
            raise Illegal("badResumptionToken")
        return place

    def _between(self, place: Place) -> list[Page]:
        days = self.pages.get(place.prefix, {})
        return [page for day in sorted(days) if place.first <= day <= place.last for page in days[day]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list is: all that a resumption token has to tell."""

    generation: int
    prefix: str
    first: date
    last: date
    number: int = 0

    def token(self) -> str:
        """The place in one word."""
        return f"{self.generation}|{self.prefix}|{self.first}|{self.last}|{self.number}"

    @classmethod
    def of_token(cls, token: str) -> Place | None:
        """None when this server never gave it."""
        try:
            generation, prefix, first, last, number = token.split("|")
            days = date.fromisoformat(first), date.fromisoformat(last)
            return cls(int(generation), prefix, *days, int(number)) if int(number) > 0 else None
        except ValueError:
            return None


def first_place(query: Mapping[str, str], generation: int) -> Place:
    """What the first request of a list asks for."""
    try:
        first = date.fromisoformat(query.get("from", str(date.min)))
        last = date.fromisoformat(query.get("until", str(date.max)))
    except ValueError:
        raise Illegal("badArgument") from None
    prefix = query.get("metadataPrefix")
    if not prefix or query.keys() - _ARGUMENTS or first > last:
        raise Illegal("badArgument")
    if not _SET.fullmatch(query.get("set", "cs")):
        raise Illegal("badArgument", NO_SUCH_SET)
    if prefix not in FORMATS:
        raise Illegal("cannotDisseminateFormat")
    return Place(generation, prefix, first, last)


def leading_to(token: str, page: bytes) -> bytes:
    """The recorded page with a token that leads to the next of those at hand."""
    given = token.encode()
    led, found = _TOKEN.subn(lambda old: old[1].rstrip() + b">" + given + b"</resumptionToken>", page)
    if found or not token:
        return led
    return _END.sub(lambda end: b"<resumptionToken>" + given + b"</resumptionToken>" + end[0], page, count=1)


def error(code: str, query: Mapping[str, str] | None = None, text: str | None = None) -> bytes:
    """The protocol's error document; the text is arXiv's own unless it is given."""
    known = code not in {"badVerb", "badArgument"}  # the protocol tells the arguments only when they are legal
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in (query or {}).items()) if known else ""
    return ERROR.format(attributes=attributes, code=code, text=escape(text or ERRORS[code])).encode()
