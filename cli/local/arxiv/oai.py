"""OAI-PMH answers over recorded `ListRecords` pages, in the form of arXiv's server of 2025.

https://www.openarchives.org/OAI/openarchivesprotocol.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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
FORMATS = ("oai_dc", "arXiv", "arXivRaw")
ERROR = """<?xml version="1.0" encoding="UTF-8"?>
<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">
  <responseDate>2026-09-14T18:12:00Z</responseDate>
  <request{attributes}>https://oaipmh.arxiv.org/oai</request>
  <error code="{code}">{text}</error>
</OAI-PMH>
"""
_ARGUMENTS = frozenset({"verb", "metadataPrefix", "from", "until", "set", "resumptionToken"})
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_TOKEN = re.compile(rb"(<resumptionToken\b[^>/]*)(?:/>|>[^<]*</resumptionToken>)")
_END = re.compile(rb"\s*</ListRecords>")


def answer(query: Mapping[str, str], pages: Mapping[str, Sequence[bytes]]) -> bytes:
    """A page with the token of the next, or the protocol's error."""
    if query.get("verb") != "ListRecords":
        return error("badVerb", query)
    token = query.get("resumptionToken")
    if token is not None:
        return _resumed(token, query, pages)
    prefix = query.get("metadataPrefix")
    days = [query[name] for name in ("from", "until") if name in query]
    if not prefix or query.keys() - _ARGUMENTS or not all(map(_DAY.fullmatch, days)) or days != sorted(days):
        return error("badArgument", query)
    if prefix not in FORMATS:
        return error("cannotDisseminateFormat", query)
    return _page(prefix, 0, pages[prefix]) if pages.get(prefix) else error("noRecordsMatch", query)


def _resumed(token: str, query: Mapping[str, str], pages: Mapping[str, Sequence[bytes]]) -> bytes:
    prefix, _, number = token.partition("|")
    if query.keys() - {"verb", "resumptionToken"}:
        return error("badArgument", query)
    if not number.isdecimal() or not 0 < int(number) < len(pages.get(prefix, ())):
        return error("badResumptionToken", query)
    return _page(prefix, int(number), pages[prefix])


def _page(prefix: str, number: int, pages: Sequence[bytes]) -> bytes:
    """The recorded page with a token that leads to the next of those at hand."""
    token = f"{prefix}|{number + 1}".encode() if number + 1 < len(pages) else b""
    page, found = _TOKEN.subn(lambda old: old[1].rstrip() + b">" + token + b"</resumptionToken>", pages[number])
    if found or not token:
        return page
    return _END.sub(lambda end: b"<resumptionToken>" + token + b"</resumptionToken>" + end[0], page, count=1)


def error(code: str, query: Mapping[str, str]) -> bytes:
    """The protocol's error document."""
    known = code not in {"badVerb", "badArgument"}  # the protocol tells the arguments only when they are legal
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in query.items()) if known else ""
    return ERROR.format(attributes=attributes, code=code, text=escape(ERRORS[code])).encode()
