"""The public HTTP side: addresses, headers, and nothing that a reader could make expensive."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Hashable
from datetime import UTC, date, datetime
from functools import partial
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.publisher import page
from services.publisher.cache import Cache, Rendering
from services.publisher.catalogue import Catalogue
from services.publisher.gauges import Gauges
from services.publisher.library import Library
from services.publisher.responses import Body, answer
from services.publisher.site import ALL, HTML, SUFFIXES, Site
from shared.errors import Unavailable
from shared.fetcher_state import FetcherState

MAX_AGE = 300
STALE_MAX_AGE = 30
STATIC_MAX_AGE = 365 * 24 * 3600
LONGEST_PATH = 300
VERSIONED = re.compile(r"(.+)v[1-9][0-9]{0,3}", re.DOTALL)

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SECURITY = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)

Make = Callable[[], Awaitable[Rendering | None]]


def site(
    library: Library,
    catalogue: Catalogue,
    gauges: Gauges,
    fetcher: Callable[[], FetcherState | None] = lambda: None,
    *,
    public_url: str,
) -> ASGIApp:
    """The application."""
    cache = Cache(library.version, catalogue.version)
    handlers = Handlers(Site(library, catalogue, public_url=public_url), cache, fetcher)
    routes = [
        Route("/", handlers.front),
        Route("/feeds", handlers.feeds),
        Route("/feeds.opml", handlers.opml),
        Route("/feeds/{name}", handlers.feed),
        Route("/papers/{paper_id:path}", handlers.paper),
        Route("/status", handlers.status),
        Route("/status.json", handlers.status_json),
        Route("/static/{name:path}", handlers.static),
    ]
    application = Starlette(
        routes=routes,
        middleware=[Middleware(Outermost, gauges=gauges)],
        exception_handlers={404: handlers.not_found, Unavailable: handlers.unavailable},
    )
    application.router.redirect_slashes = False  # a feed's address answers, or it does not
    return application


class Handlers:
    """One method per address."""

    def __init__(self, site: Site, cache: Cache, fetcher: Callable[[], FetcherState | None]) -> None:
        self._site = site
        self._cache = cache
        self._fetcher = fetcher
        self._started = datetime.now(UTC).replace(microsecond=0)
        self._static = {
            name: Body.of(file.content, file.content_type, self._started, {}) for name, file in page.STATIC.items()
        }

    async def front(self, request: Request) -> Response:
        return await self._day(request, ALL)

    async def feed(self, request: Request) -> Response:
        """`gpu` is a feed's page, `gpu.rss` the feed."""
        name: str = request.path_params["name"]
        slug, dot, suffix = name.rpartition(".")
        if not dot:
            return await self._day(request, name)
        if f".{suffix}" not in SUFFIXES:
            raise HTTPException(404)
        return await self._page(request, (slug, suffix), lambda: self._site.file(slug, f".{suffix}"))

    async def feeds(self, request: Request) -> Response:
        return await self._page(request, "feeds", self._site.feeds)

    async def opml(self, request: Request) -> Response:
        return await self._page(request, "opml", self._site.opml)

    async def paper(self, request: Request) -> Response:
        paper_id: str = request.path_params["paper_id"]
        if len(paper_id) > LONGEST_PATH or "\x00" in paper_id:
            raise HTTPException(404)
        versioned = VERSIONED.fullmatch(paper_id)
        try:
            return await self._paper(request, paper_id)
        except HTTPException:
            if versioned is None:
                raise
        await self._paper(request, versioned[1])  # else it is not found after all
        last = quote(versioned[1].rpartition("/")[2], safe=".")
        return Response(status_code=308, headers={"location": last, "cache-control": f"public, max-age={MAX_AGE}"})

    async def status(self, request: Request) -> Response:
        fetcher = self._fetcher()
        return await self._page(request, "status", partial(self._site.status, fetcher), about=fetcher)

    async def status_json(self, request: Request) -> Response:
        fetcher = self._fetcher()
        make = partial(self._site.status_json, fetcher)
        return await self._page(request, "status.json", make, max_age=0, about=fetcher)

    async def static(self, request: Request) -> Response:
        body = self._static.get(request.path_params["name"])
        if body is None:
            raise HTTPException(404)
        return _response(request, body, max_age=STATIC_MAX_AGE, immutable=True)

    async def not_found(self, request: Request, error: Exception) -> Response:
        del error
        data = self._site.missing(request.url.path[:LONGEST_PATH])
        return _response(request, Body.of(data, HTML, self._started, {}), max_age=0, status=404)

    async def unavailable(self, request: Request, error: Exception) -> Response:
        """Only for a page that was never shown since the start."""
        del request, error
        text = "The database does not answer, and this page was not kept. Please try again in a minute.\n"
        return Response(text, 503, {"retry-after": "30", "cache-control": "no-store"}, "text/plain")

    async def _paper(self, request: Request, paper_id: str) -> Response:
        return await self._page(request, ("paper", paper_id), lambda: self._site.paper(paper_id))

    async def _day(self, request: Request, slug: str) -> Response:
        asked = request.query_params.get("date")
        day = None if asked is None else _date(asked)
        return await self._page(request, ("day", slug, day), lambda: self._site.day(slug, day))

    async def _page(
        self, request: Request, key: Hashable, make: Make, *, max_age: int = MAX_AGE, about: Hashable = None
    ) -> Response:
        served = await self._cache.get(key, make, about=about)
        if served is None:
            raise HTTPException(404)
        if served.age is None:
            return _response(request, served.body, max_age=max_age)
        response = _response(request, served.body, max_age=min(max_age, STALE_MAX_AGE))
        response.headers["age"] = str(int(served.age.total_seconds()))
        response.headers["warning"] = '110 paperwire "Response is Stale"'
        return response


class Outermost:
    """Headers that every response has, and the count of requests by route."""

    def __init__(self, app: ASGIApp, *, gauges: Gauges) -> None:
        self._app = app
        self._requests = gauges.requests
        self._seconds = gauges.request_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *SECURITY]
                route = getattr(scope.get("route"), "path", "none")
                self._requests.labels(route, str(message["status"])).inc()
                self._seconds.labels(route).observe(time.perf_counter() - start)
            await send(message)

        start = time.perf_counter()
        await self._app(scope, receive, secured)


def _response(request: Request, body: Body, *, max_age: int, status: int = 200, immutable: bool = False) -> Response:
    given = answer(request.method, request.headers, body, max_age=max_age, status=status, immutable=immutable)
    return Response(given.data, given.status, given.headers)


def _date(text: str) -> date:
    """`2025-12-10`; anything else is an address that does not exist."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise HTTPException(404) from None
    if day.isoformat() != text:
        raise HTTPException(404)
    return day
