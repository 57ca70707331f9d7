"""What each public address shows: its values from the library, and how they become bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial

from services.publisher import formats, page, status
from services.publisher.accounts import NOT_CLOSED
from services.publisher.cache import Rendering
from services.publisher.catalogue import Catalogue
from services.publisher.feed import ARXIV_DAY, Day, Entry, Feed
from services.publisher.formats import opml
from services.publisher.library import Library
from shared.feeds import FeedConfig
from shared.fetcher_state import FetcherState

ALL = "all"
ALL_TITLE = "All feeds"
FEED_ENTRIES = 100
STATUS_DAYS = 14
HTML = page.CONTENT_TYPE
OPEN = {"access-control-allow-origin": "*", "access-control-expose-headers": "ETag, Last-Modified"}

SUFFIXES = {formats.load(name).SUFFIX: name for name in ("rss", "atom", "jsonfeed", "markdown")}


class Site:
    """The pages and feeds. Each method gives what an address shows, or None when there is nothing."""

    def __init__(self, library: Library, catalogue: Catalogue, *, public_url: str) -> None:
        self._library = library
        self._catalogue = catalogue
        self._public_url = public_url

    async def file(self, slug: str, suffix: str) -> Rendering | None:
        """A feed in one of its formats."""
        feed = self._feed(slug)
        if feed is None:
            return None
        form = formats.load(SUFFIXES[suffix])
        filled = await self._filled(feed)
        return Rendering(lambda _: form.render(filled), _with_charset(form.CONTENT_TYPE), OPEN)

    async def day(self, slug: str, day: date | None) -> Rendering | None:
        """A feed's page: one announcement day, the newest that has papers unless another is asked for."""
        feed = self._feed(slug)
        if feed is None:
            return None
        shown = await self._day(slug, day)
        if shown is None:
            return None
        render = partial(page.day_page, shown, self._links(), public_url=self._public_url)
        return Rendering(lambda notice: render(notice=notice), HTML)

    async def paper(self, paper_id: str) -> Rendering | None:
        """A paper's permanent page."""
        paper = await self._library.paper(paper_id)
        if paper is None:
            return None
        entries = await self._library.of_paper(paper_id)
        return Rendering(lambda _: page.paper_page(paper, entries, self._links(), public_url=self._public_url), HTML)

    async def feeds(self) -> Rendering:
        """The list of all feeds."""
        described = [(feed.slug, feed.title, feed.description) for feed in self._feeds()]
        return Rendering(lambda _: page.feeds_page(described, public_url=self._public_url), HTML)

    async def opml(self) -> Rendering:
        """The list of all feeds for feed readers."""
        feeds = self._feeds()
        return Rendering(lambda _: opml.render_list(feeds), _with_charset(opml.CONTENT_TYPE), OPEN)

    async def status(self, fetcher: FetcherState | None) -> Rendering:
        """The accounts, for people."""
        statuses, checks = await self._library.statuses(STATUS_DAYS), await self._library.checks(STATUS_DAYS)
        render = partial(
            page.status_page, statuses, self._links(), fetcher=fetcher, public_url=self._public_url, checks=checks
        )
        return Rendering(lambda notice: render(notice=notice), HTML)

    async def status_json(self, fetcher: FetcherState | None) -> Rendering:
        """The accounts, for programs."""
        statuses, counts = await self._library.statuses(STATUS_DAYS), await self._library.counts()
        checks = await self._library.checks(STATUS_DAYS)
        return Rendering(partial(status.render, statuses, counts, fetcher, checks=checks), status.MEDIA_TYPE, OPEN)

    def missing(self, path: str) -> bytes:
        """The page for an address that shows nothing."""
        return page.not_found_page(path, self._links(), public_url=self._public_url)

    def _feed(self, slug: str) -> Feed | None:
        """A feed without its entries."""
        if slug == ALL:
            return self._all()
        config = self._catalogue.get(slug)
        return None if config is None else self._of(config)

    def _feeds(self) -> tuple[Feed, ...]:
        return tuple(self._of(config) for config in self._catalogue.feeds)

    def _links(self) -> list[tuple[str, str]]:
        return [(feed.slug, feed.title) for feed in self._catalogue.feeds]

    def _of(self, config: FeedConfig, entries: Sequence[Entry] = ()) -> Feed:
        return Feed(
            slug=config.slug,
            title=config.title,
            description=config.description,
            language=config.summary.languages[0] if config.summary.languages else "en",
            public_url=self._public_url,
            entries=tuple(entries),
        )

    def _all(self) -> Feed:
        feeds = self._feeds()
        languages = {feed.language for feed in feeds}
        description = "Every paper of every feed once: " + ", ".join(feed.title for feed in feeds)
        language = languages.pop() if len(languages) == 1 else "en"
        return Feed(ALL, ALL_TITLE, description, language, self._public_url, ())

    async def _filled(self, feed: Feed) -> Feed:
        if feed.slug == ALL:
            entries = await self._library.latest_of_all(self._catalogue.slugs, FEED_ENTRIES)
        else:
            entries = await self._library.latest(feed.slug, FEED_ENTRIES)
        return Feed(feed.slug, feed.title, feed.description, feed.language, feed.public_url, entries)

    async def _day(self, slug: str, asked: date | None) -> Day | None:
        slugs = self._catalogue.slugs if slug == ALL else (slug,)
        day = asked or await self._newest(slugs)
        entries = await self._library.of_day(slugs, day)
        batch = await self._library.status_of(day)
        if asked is not None and not entries and batch is None:
            return None
        if batch is not None and batch.reason == NOT_CLOSED:
            batch = None  # its counts are not known yet
        around = await self._library.days(slugs, day)
        return Day(None if slug == ALL else slug, day, entries, batch, around.earlier, around.later)

    async def _newest(self, slugs: Sequence[str]) -> date:
        """The newest day with papers, else the newest announcement, else today."""
        today = datetime.now(ARXIV_DAY).date()
        if newest := (await self._library.days(slugs, today)).newest:
            return newest
        statuses = await self._library.statuses(1)
        return statuses[0].date if statuses else today


def _with_charset(media_type: str) -> str:
    return media_type if "charset" in media_type else f"{media_type}; charset=utf-8"
