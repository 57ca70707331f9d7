"""One look at arXiv: ask, read, decide, write down, publish, remember; and finishing what a dead replica began."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from services.fetcher import completeness, core, split
from services.fetcher.checking import Checking
from services.fetcher.core import Plan, Unchanged
from services.fetcher.cursor import Ledger, Overtaken
from services.fetcher.download import FEED, Document, Downloader, feed_url
from services.fetcher.lease import Lease
from services.fetcher.measures import Measures
from services.fetcher.settings import Settings
from services.fetcher.sources.arxiv_rss import Announcement, UnusableDocument, parse
from services.fetcher.split import Answer
from shared import feeds
from shared.bus import Bus

log = logging.getLogger(__name__)

Outcome = str
"""`published`, or why nothing was."""
REJECTIONS_SHOWN = 5


def categories(feeds_file: Path) -> tuple[str, ...]:
    """What to fetch: the union over all feeds, read anew so that an edited file counts at once."""
    found = feeds.load(feeds_file).categories
    if not found:
        raise feeds.FeedsError([f"{feeds_file}: no feed names a category, so there is nothing to fetch"])
    return found


class Fetching:
    """What a replica does while it holds the lease."""

    def __init__(self, settings: Settings, bus: Bus, lease: Lease, downloader: Downloader, measures: Measures) -> None:
        self._settings = settings
        self._bus = bus
        self._lease = lease
        self._downloader = downloader
        self._measures = measures
        self._checking = Checking(settings, bus, lease, downloader, measures, self._supplement)

    async def look(self, ledger: Ledger) -> Outcome:
        """Ask once, and publish what is new."""
        wanted = categories(self._settings.feeds_file)
        url = feed_url(self._settings.arxiv_rss_url, wanted)
        self._measures.requests.inc()
        document = await self._downloader.get(url, ledger.cursor)
        now = datetime.now(UTC)
        if document is None:
            return (core.STALE if core.outdated(ledger.cursor.day, now) else core.SAME).reason
        answer = await self._whole(wanted, document)
        decision = core.decide(answer.announcement, cursor=ledger.cursor, history=ledger.history, now=now)
        if isinstance(decision, Unchanged):
            await self._checking.saw(ledger, answer.announcement)
            return decision.reason
        self._report(answer.announcement.rejected)
        await self._begin(ledger, _noted(decision, url, document), answer)
        await ledger.prune(core.eastern_day(now))
        return "published"

    async def check(self, ledger: Ledger, failure: str | None = None) -> None:
        """Count the newest announcement against what arXiv lists, and tell what has changed."""
        wanted = categories(self._settings.feeds_file)
        await self._checking.check(ledger, wanted, datetime.now(UTC), failure=failure)

    async def recover(self, ledger: Ledger) -> None:
        """Finish the batch that was begun and not closed: same documents, same ids, same messages."""
        plan = ledger.open
        if plan is None:
            return
        log.info("finishing a batch that was begun", extra={"batch": plan.batch})
        documents = await ledger.documents(plan)
        try:
            if not documents:
                raise UnusableDocument("it is no longer stored")
            announcement = split.merge([parse(document, content_type=plan.content_type) for document in documents])
            if len(core.announced(announcement, plan)) < len(plan.kinds):
                raise UnusableDocument("it lacks papers of the plan: a replica without the lease has put its own")
        except UnusableDocument as error:
            # Nothing is lost: its papers do not count as announced, so the next look decides about them anew.
            log.error("a batch cannot be finished", extra={"batch": plan.batch, "detail": str(error)})  # noqa: TRY400
            await ledger.drop()
            return
        await self._publish(ledger, plan, announcement)

    async def _whole(self, asked: tuple[str, ...], document: Document) -> Answer:
        """All that arXiv has on these categories: an answer that is cut off is asked for in halves."""
        announcement = parse(document.body, content_type=document.content_type)
        cut = split.is_cut(announcement)
        if not cut or len(asked) == 1:
            return Answer(asked, (document.body,), announcement, cut=asked if cut else ())
        log.info("the answer is cut off, asking in parts", extra={"categories": len(asked)})
        parts = []
        for half in split.halves(asked):
            self._measures.requests.inc()
            url = feed_url(self._settings.arxiv_rss_url, half)
            parts.append(await self._whole(half, await self._downloader.fetch(url, accept=FEED)))
        return split.join(parts)

    async def _supplement(self, ledger: Ledger, announcement: Announcement, document: Document) -> None:
        """Publish what one category's own feed has beyond the feed of all."""
        decision = core.decide(announcement, cursor=ledger.cursor, history=ledger.history, now=datetime.now(UTC))
        if isinstance(decision, Plan) and decision.kinds:
            # The cursor is about the feed of all categories, which has not changed.
            plan = decision.model_copy(update={"content_type": document.content_type, "after": ledger.cursor})
            await self._begin(ledger, plan, Answer((), (document.body,), announcement))

    async def _begin(self, ledger: Ledger, plan: Plan, answer: Answer) -> None:
        if not self._lease.held:
            raise Overtaken("the lease was lost while arXiv was being asked")
        plan = plan.model_copy(update={"cut": answer.cut, "behind": answer.behind})
        await ledger.begin(plan, *answer.documents)
        await self._publish(ledger, plan, answer.announcement)

    async def _publish(self, ledger: Ledger, plan: Plan, announcement: Announcement) -> None:
        """All of it is repeated when this dies half-way; `Nats-Msg-Id` makes the repetition harmless.

        The batch is closed only when all papers are in the stream, and remembered only when it is closed: dying
        before the end costs a repetition, never a paper.
        """
        events = core.announced(announcement, plan)
        sequences = await self._bus.publish(*events) if events else []
        await self._bus.publish(core.closed(plan, len(events), sequences))
        await ledger.keep(completeness.saw(ledger.tally(plan.day), announcement.items, plan))
        await ledger.finish(plan)
        log.info("batch closed", extra={"batch": plan.batch, "papers": len(events), "reason": plan.reason})

    def _report(self, rejected: Sequence[str]) -> None:
        if rejected:
            self._measures.rejected.inc(len(rejected))
            shown = list(rejected[:REJECTIONS_SHOWN])
            log.warning("items could not be read", extra={"count": len(rejected), "first": shown})


def _noted(plan: Plan, url: str, document: Document) -> Plan:
    """The plan, with what the next conditional request needs."""
    validators = {"url": url, "etag": document.etag, "last_modified": document.last_modified}
    after = plan.after.model_copy(update=validators)
    return plan.model_copy(update={"after": after, "content_type": document.content_type})
