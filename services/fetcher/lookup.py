"""Papers by their ids, or by a search, from arXiv's query API: a page at a time, whole or with the reason why not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from typing import Protocol
from urllib.parse import urlencode

from services.fetcher.download import Document, FetchFailed
from services.fetcher.orders import OrderFailed
from services.fetcher.patience import Patience
from services.fetcher.sources.arxiv_api import ApiError, Page, UnusableDocument, parse
from shared.messages import Paper

PER_REQUEST = 100  # ids; an address of many more gets too long
PAGE = 200  # results of a search; arXiv allows 2,000 and asks for less
MOST_RESULTS = 30_000  # of a search; arXiv answers HTTP 400 to a page beyond it
EMPTY_AGAIN = 3  # how often an empty page that should not be empty is asked for again
REFUSALS = (400, 414)  # a bad request, and one that is too long
ACCEPT = "application/atom+xml, application/xml, text/xml"


class Refused(OrderFailed):
    """arXiv refuses what was asked, in its own words."""


class EmptyPage(OrderFailed):
    """arXiv says that there are more results and does not give them."""


class Documents(Protocol):
    """Whoever gets a document: `services.fetcher.download.Downloader`."""

    async def fetch(self, url: str, *, accept: str) -> Document: ...


def uncounted() -> None:
    """Count nothing."""


class Lookup:
    """Asks the query API. Holds one page at a time. `asking` is called before each request."""

    def __init__(
        self,
        source: Documents,
        url: str,
        *,
        patience: Patience | None = None,
        page: int = PAGE,
        most: int = MOST_RESULTS,
        asking: Callable[[], None] = uncounted,
    ) -> None:
        self._source = source
        self._url = url
        self._patience = patience
        self._size = page
        self._asking = asking
        self.most = most
        """More results than these no search gives."""

    def with_patience(self, patience: Patience) -> Lookup:
        """One that asks again while arXiv is unwell; without patience the first failure is the last."""
        return Lookup(self._source, self._url, patience=patience, page=self._size, most=self.most, asking=self._asking)

    async def ids(self, wanted: Sequence[str]) -> AsyncIterator[Page]:
        """What is there of these ids. Those missing in an answer are asked for once more: it may be incomplete."""
        for first in range(0, len(wanted), PER_REQUEST):
            left: Sequence[str] = wanted[first : first + PER_REQUEST]
            for _ in range(2):
                page = await self._page(ids_url(self._url, left), len(left))
                left = missing(left, (item.paper for item in page.items))
                yield page
                if not left:
                    break

    async def search(self, query: str, *, most: int | None = None) -> AsyncIterator[Page]:
        """What the search finds, the newest submissions first."""
        start, end = 0, min(most or self.most, self.most)
        while start < end:
            size = min(self._size, end - start)
            page = await self._page(search_url(self._url, query, start, size), size, start)
            yield page
            start += len(page.items) + len(page.rejected)
            if start >= page.total:
                break

    async def _page(self, url: str, size: int, start: int = 0) -> Page:
        """The page. arXiv sends empty ones now and then; one without any result at all is doubted once."""
        for again in range(EMPTY_AGAIN + 1):
            page = await (self._patience.until_answered(lambda: self._ask(url)) if self._patience else self._ask(url))
            if page.items or page.rejected or (again and not start and not page.total):
                return page
        if 0 < page.total <= start:  # papers were taken out while we read
            return page
        raise EmptyPage(
            f"arXiv gives an empty page at {start} of {max(page.total, start + size)} results, also when asked "
            f"{EMPTY_AGAIN + 1} times; give the order again later"
        )

    async def _ask(self, url: str) -> Page:
        self._asking()
        try:
            document = await self._source.fetch(url, accept=ACCEPT)
            return parse(document.body, content_type=document.content_type)
        except ApiError as error:
            raise Refused(f"arXiv answers: {error}") from error
        except FetchFailed as error:
            if error.status in REFUSALS:
                raise Refused(f"arXiv answers: {refusal(error.body)}") from error
            raise


def refusal(body: bytes) -> str:
    """What an answer of HTTP 400 says."""
    try:
        parse(body)
    except ApiError as error:
        return str(error)
    except UnusableDocument:
        pass
    return " ".join(body.decode("utf-8", "replace").split())[:300] or "HTTP 400"


# ---- addresses


def ids_url(base: str, ids: Collection[str]) -> str:
    """The address of these papers."""
    return _url(base, {"id_list": ",".join(ids), "start": "0", "max_results": str(len(ids))})


def search_url(base: str, query: str, start: int, size: int) -> str:
    """The address of one page of a search."""
    order = {"sortBy": "submittedDate", "sortOrder": "descending"}
    return _url(base, {"search_query": query, "start": str(start), "max_results": str(size), **order})


def _url(base: str, query: dict[str, str]) -> str:
    return f"{base}?{urlencode(query, safe=',/:')}"


# ---- ids


def missing(wanted: Collection[str], papers: Iterable[Paper]) -> tuple[str, ...]:
    """The ids that none of the papers answers; one without version is answered by any."""
    found = {name for paper in papers for name in (paper.id, paper.versioned_id)}
    return tuple(identifier for identifier in wanted if identifier not in found)
