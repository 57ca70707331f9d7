"""The fetcher: arXiv's announcement in, one `papers.announced` per paper and one `batches.closed` out."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from services.fetcher.download import Downloader
from services.fetcher.fetching import Fetching, categories
from services.fetcher.harvest import Harvester
from services.fetcher.lease import Lease
from services.fetcher.liked import LikedOrders
from services.fetcher.lookup import Lookup
from services.fetcher.lookup_orders import LookupOrders
from services.fetcher.measures import Measures
from services.fetcher.orders import Duty, Handle, OrderFailed, Orders, Report
from services.fetcher.pace import Pace
from services.fetcher.polling import Polled, Series, SourceMeasures, Sources, configuration
from services.fetcher.searching import Searching
from services.fetcher.settings import Settings
from services.fetcher.texts import handler as texts
from services.fetcher.watch import Watch
from shared import feeds
from shared.bus import Bus
from shared.messages import FetchRequested
from shared.metrics import Metrics
from shared.provision import ANNOUNCEMENTS_BUCKET, FETCHER_BUCKET, LIKED_BUCKET
from shared.service import Service
from shared.settings import stop


def build(settings: Settings) -> Service:
    """The service, not yet started."""
    try:
        if feeds.ARXIV in configuration(settings.feeds_file).source_names:
            categories(settings.feeds_file)
    except feeds.FeedsError as error:
        stop(list(error.problems))
    metrics = Metrics("fetcher")
    measures = Measures(metrics)
    bus = Bus(settings, "fetcher", metrics)
    bus.needs(key_value=FETCHER_BUCKET, object_store=ANNOUNCEMENTS_BUCKET)
    bus.needs(key_value=LIKED_BUCKET, object_store=LIKED_BUCKET)
    lease = Lease(bus, holder=secrets.token_hex(8), seconds=settings.lease_seconds)
    measures.lease_held.set_function(lambda: float(lease.held))
    measures.missing.set_function(lambda: measures.missing_papers * float(lease.held))
    downloader = Downloader(pace_of(settings, bus), settings.contact)
    texts.attach(bus, texts.Handler(bus, lease, downloader, settings.arxiv_site_url, measures.text), lease)
    sources, watch = every_source(settings, bus, lease, downloader, metrics, measures)
    duty = Duty(bus, lease)
    harvester = Harvester(settings, bus, downloader, duty, measures)
    lookup = Lookup(downloader, settings.arxiv_api_url, asking=measures.requests.inc)
    papers = LookupOrders(lookup, bus, duty, first=settings.retry_delay)
    liked = LikedOrders(lookup, downloader, bus, duty, first=settings.retry_delay)
    handlers = {"backfill": harvester.handle, "ids": papers.ids, "search": papers.search, "liked": liked.handle}
    Orders(bus, lease, duty, {"now": looking(watch, duty), **handlers})
    searching = Searching(settings, bus, lease, lookup)
    loops = [lease.keep, sources.run, searching.run]
    return Service("fetcher", settings, bus, metrics, resources=[downloader], loops=loops)


def pace_of(settings: Settings, bus: Bus) -> Pace:
    """arXiv's pace, and that of all other hosts."""
    return Pace(
        bus,
        interval=settings.arxiv_interval,
        elsewhere=settings.sources_interval,
        arxiv=settings.arxiv_hosts,
        expiry=settings.lease_seconds,
    )


def every_source(
    settings: Settings, bus: Bus, lease: Lease, downloader: Downloader, metrics: Metrics, measures: Measures
) -> tuple[Sources, Watch]:
    """The loops of all sources, and arXiv's, which can be woken."""
    series = Series(metrics)

    def loop_of(name: str) -> Callable[[], Awaitable[None]]:
        if name == feeds.ARXIV:
            return watch.run
        of_source = SourceMeasures(series, name)
        polled = Polled(name, settings.feeds_file, bus, lease, downloader, of_source)
        return Watch(settings, bus, lease, polled, of_source, source=name, wanted=sources.wanted).run

    sources = Sources(settings.feeds_file, settings.poll_interval, loop_of)
    fetching = Fetching(settings, bus, lease, downloader, measures)
    watch = Watch(settings, bus, lease, fetching, measures, wanted=sources.wanted)
    return sources, watch


def looking(watch: Watch, duty: Duty) -> Handle:
    """Carries out `now` orders."""

    async def look(order: FetchRequested, report: Report) -> None:
        del order
        state = await duty.during(watch.wake())
        if state is None or state.outcome == "failed":
            raise OrderFailed(state.reason or "failed" if state else "the fetcher is in trouble; its log says more")
        newest = f"; the newest announcement is of {state.newest}" if state.newest else ""
        await report(detail=state.outcome + newest)

    return look
