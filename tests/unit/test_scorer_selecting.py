"""What a batch leads to: judged anew, or by what is remembered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from services.scorer.batch import Batch, Recent
from services.scorer.judge import Judge, appoint
from services.scorer.ranking import Before
from services.scorer.records import Record
from services.scorer.selecting import Decision
from shared.feeds import FeedConfig, Term
from shared.messages import PaperAnnounced, PaperScored, PaperSelected
from tests.builders import a_closing, a_paper, an_announcement

WORDS = ("GPU", "memory", "kernel", "garden")


def judge(*feeds: FeedConfig) -> Judge:
    return appoint(feeds)


def a_feed(slug: str, *words: str, **changes: Any) -> FeedConfig:
    return FeedConfig(**{"slug": slug, "title": slug, "keywords": tuple(map(Term, words))} | changes)


def announcements() -> list[PaperAnnounced]:
    titles = (" ".join(word for bit, word in enumerate(WORDS) if number & 1 << bit) for number in range(1, 16))
    return [
        an_announcement(place, paper=a_paper(id=f"2512.{place:05}", title=title, abstract=""))
        for place, title in enumerate(titles)
    ]


def batch_of(scored: Iterable[PaperScored], recent: Recent | None = None) -> Batch:
    batch = Batch(a_closing(15), recent or Recent())
    for paper in scored:
        batch.add(paper)
    return batch


def picks(record: Record) -> dict[str, list[str]]:
    found: dict[str, list[tuple[int, str]]] = {}
    for message, _ in record.messages(PaperSelected):
        assert isinstance(message, PaperSelected)
        for pick in message.picks:
            found.setdefault(pick.feed, []).append((pick.rank, message.paper_id[-2:]))
    return {feed: [paper for _, paper in sorted(ranked)] for feed, ranked in found.items()}


async def test_what_is_remembered_of_the_same_feeds_leads_to_the_same() -> None:
    judge_now = judge(a_feed("a", "GPU", "kernel", max_papers=4), a_feed("b", "memory", max_per_author=2))
    scored = await judge_now.score_all(announcements())
    some, recent = Recent(), Recent()
    recent.add(scored, by=judge_now)
    some.add(scored[::2], by=judge_now)

    anew, *others = [
        await Decision(judge_now, memory, [batch_of(scored)], Before()).record() for memory in (Recent(), recent, some)
    ]

    assert picks(anew)["a"] == ["04", "06", "12", "14"]
    assert [other.data for other in others] == [anew.data, anew.data]


async def test_what_other_feeds_made_of_the_papers_does_not_count() -> None:
    before, now = judge(a_feed("a", "GPU"), a_feed("gone", "GPU")), judge(a_feed("a", "garden", max_papers=3))
    scored = await before.score_all(announcements())
    recent = Recent()
    recent.add(scored, by=before)

    record = await Decision(now, recent, [batch_of(scored, recent)], Before()).record()

    assert picks(record) == {"a": ["07", "08", "09"]}


async def test_papers_that_a_search_found_are_judged_again_for_its_feeds_only() -> None:
    found = [paper.model_copy(update={"found_by": ("all:gpu",)}) for paper in announcements()[:2]]
    scored = await judge(a_feed("a", "GPU", search="all:gpu")).score_all(found)
    now = judge(a_feed("a", "GPU", search="all:gpu"), a_feed("b", "GPU"), a_feed("c", search="all:gpu"))

    record = await Decision(now, Recent(), [batch_of(scored)], Before()).record()

    assert set(picks(record)) == {"a", "c"}


async def test_the_order_in_which_papers_came_back_changes_nothing() -> None:
    judge_now = judge(a_feed("a", "GPU", max_papers=4), a_feed("b", "memory", seen=("a",)))
    scored = await judge_now.score_all(announcements())

    records = [
        await Decision(judge_now, Recent(), [batch_of(papers)], Before()).record() for papers in (scored, scored[::-1])
    ]

    assert records[0].data == records[1].data


def test_a_record_gives_back_what_went_into_it() -> None:
    texts = ("plain", 'line\nbreak "quoted"', "\x00 é 数 \u2028", "x" * 300_000)
    messages = [
        PaperSelected(paper_id=text, version=1, batch="b", date=a_closing().date, kind="new", picks=())
        for text in texts
    ]

    record = Record.of(messages)

    assert [message for message, _ in record.messages()] == messages
    assert list(Record.of([]).messages()) == []
    assert len(record.data) < 5_000
