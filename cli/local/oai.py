"""A local server that answers like oaipmh.arxiv.org, from recorded lists, with faults on demand."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cli.local.arxiv import Fault

Page = Callable[[], bytes]

ERROR = """<?xml version="1.0" encoding="UTF-8"?>
<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">
  <responseDate>2026-09-14T18:12:00Z</responseDate>
  <request verb="ListRecords">https://oaipmh.arxiv.org/oai</request>
  <error code="{code}">{text}</error>
</OAI-PMH>
"""
_TOKEN = re.compile(rb"<resumptionToken\b([^>]*?)(?:/>|>[^<]*</resumptionToken>)")
_END = re.compile(rb"(?=</ListRecords>)")
_IDENTIFIER = re.compile(rb"(?<=<identifier>oai:arXiv\.org:)[^<]+")


class Records:
    """What the server has: a list of pages for every day of change. All may be altered while it serves."""

    def __init__(self, days: Mapping[date, Sequence[Page]]) -> None:
        self.days = dict(days)
        self.faults: deque[Fault] = deque()
        self.asked: list[dict[str, str]] = []
        """The arguments of every request."""
        self.generation = 1
        """Tokens of earlier generations have expired."""

    def answer(self, arguments: dict[str, str]) -> bytes:
        """As the protocol says."""
        token = arguments.get("resumptionToken")
        if arguments.get("verb") != "ListRecords":
            return error("badVerb", "The verb is not known here.")
        try:
            first, last, number = self._place(token) if token else (*_range(arguments), 0)
        except ValueError as problem:
            return error("badResumptionToken" if token else "badArgument", str(problem))
        pages = [page for day in sorted(self.days) if first <= day <= last for page in self.days[day]]
        if number >= len(pages):
            return error("noRecordsMatch", "The combination of the arguments results in an empty list.")
        more = f"{self.generation}|{first}|{last}|{number + 1}" if number + 1 < len(pages) else ""
        return with_token(pages[number](), more)

    def _place(self, token: str) -> tuple[date, date, int]:
        generation, first, last, number = token.split("|")
        if int(generation) != self.generation:
            raise ValueError("The value of the resumptionToken argument is invalid or expired.")
        return date.fromisoformat(first), date.fromisoformat(last), int(number)


def _range(arguments: Mapping[str, str]) -> tuple[date, date]:
    """The days of a list's first request."""
    if arguments.get("metadataPrefix") not in ("arXiv", "arXivRaw"):
        raise ValueError("The metadataPrefix is missing or not known here.")
    if not re.fullmatch(r"[a-z-]+(:[A-Za-z-]+){0,2}", arguments.get("set", "cs")):
        raise ValueError("There is no such set.")
    return date.fromisoformat(arguments["from"]), date.fromisoformat(arguments["until"])


def error(code: str, text: str) -> bytes:
    """An error of the protocol, in the new server's form."""
    return ERROR.format(code=code, text=text).encode()


def with_token(page: bytes, token: str) -> bytes:
    """The page, leading on to where this server says."""
    element = f"<resumptionToken>{token}</resumptionToken>".encode()
    if _TOKEN.search(page):
        return _TOKEN.sub(lambda _: element, page)
    return _END.sub(lambda _: element, page, count=1)


def renumbered(page: bytes, number: int) -> bytes:
    """The page once more, with other papers' identifiers."""
    counted = iter(range(1, 100_000))
    return _IDENTIFIER.sub(lambda _: b"%04d.%05d" % (number, next(counted)), page)


def oai_app(records: Records) -> Starlette:
    """`/oai`, as at oaipmh.arxiv.org."""

    async def oai(request: Request) -> Response:
        arguments = dict(request.query_params)
        records.asked.append(arguments)
        if records.faults:
            fault = records.faults.popleft()
            return Response(fault.body, fault.status, dict(fault.headers), "text/plain")
        return Response(records.answer(arguments), media_type="text/xml")

    return Starlette(routes=[Route("/oai", oai)])
