"""The publisher's store on a real Postgres: the same rows in whatever order, and however often, messages come."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any

import pytest

from cli.local.postgres import Postgres
from shared.bus import DeadLetter
from shared.errors import Permanent, Unavailable
from shared.messages import (
    Message,
    Reason,
    Span,
    StructuredSummary,
    SummaryKind,
    SummaryRequested,
    TextRequested,
)
from tests.builders import a_check, a_closing, a_gap, a_paper, a_scored
from tests.publishing import (
    ENGLISH,
    FEEDS,
    NEXT_DAY,
    Publisher,
    a_dead,
    a_pick,
    a_publisher,
    a_selected,
    a_summary,
)
from tests.waiting import eventually


@pytest.fixture
async def publisher(database_url: str) -> AsyncIterator[Publisher]:
    async with a_publisher(database_url) as publisher:
        yield publisher


def some_days() -> list[Message | DeadLetter]:
    """Two days with everything that happens: several feeds, versions, cross-lists, no summary, dead letters."""
    first = [a_scored(n, paper=a_paper(id=f"2512.{n:05d}")) for n in range(8)]
    again = [
        a_scored(0, paper=a_paper(id="2512.00000", version=2, title="Better now"), kind="replace", **NEXT_DAY),
        a_scored(1, paper=a_paper(id="2512.00001", categories=("cs.DC", "cs.AI")), kind="cross", **NEXT_DAY),
        a_scored(2, paper=a_paper(id="2512.00009"), **NEXT_DAY),
    ]
    selected = [
        a_selected("2512.00000", a_pick("gpu", 1), a_pick("llm", 2)),
        a_selected("2512.00001", a_pick("gpu", 2)),
        a_selected("2512.00002", a_pick("gpu", 3), a_pick("llm", 1)),
        a_selected("2512.00003", a_pick("gpu", 4, waits_for=())),
        a_selected("2512.00004", a_pick("llm", 3, waits_for=(SummaryKind(language="de"), ENGLISH))),
        a_selected("2512.00007", a_pick("gpu", 5)),
        a_selected("2512.00001", a_pick("gpu", 1), a_pick("llm", 1), kind="cross", **NEXT_DAY),
        a_selected("2512.00000", a_pick("gpu", 2), version=2, kind="replace", **NEXT_DAY),
        a_selected("2512.00009", a_pick("gpu", 3), **NEXT_DAY),
    ]
    summaries = [
        a_summary("2512.00000"),
        a_summary("2512.00000", version=2, summary=StructuredSummary(tldr="Even faster.")),
        a_summary("2512.00001", summary=None, made_by=None, reason="the model refused"),
        a_summary("2512.00002", made_by="extraction", model=None),
        a_summary("2512.00004", language="de", summary=None, made_by=None, reason="the model refused"),
        a_summary("2512.00004"),
    ]
    dead = [
        a_dead(a_scored(8, paper=a_paper(id="2512.00008")), 1),
        a_dead(a_selected("2512.00005", a_pick("gpu", 6), a_pick("llm", 6)), 2),
        a_dead(SummaryRequested(paper=a_paper(id="2512.00007"), style="structured", language="en"), 3),
        a_dead(a_summary("2512.00002"), 4),
    ]
    closed = [a_closing(9), a_closing(3, first_sequence=99, **NEXT_DAY)]
    return [*first, *again, *selected, *summaries, *dead, *closed]


@pytest.mark.parametrize("seed", range(8))
async def test_readers_see_the_same_in_whatever_order_and_however_often_messages_come(
    database_url: str, seed: int
) -> None:
    chance = random.Random(seed)
    messages = some_days()
    shuffled = messages + chance.sample(messages, len(messages) // 2)
    chance.shuffle(shuffled)

    async with a_publisher(database_url) as one, a_publisher(database_url) as other:
        await asyncio.gather(one.handle(*shuffled[::2]), other.handle(*shuffled[1::2]))
        assert await one.seen() == await in_order(one, messages)


async def in_order(publisher: Publisher, messages: Sequence[Message | DeadLetter]) -> dict[str, Any]:
    """What readers see when the same messages come once and in order."""
    async with publisher.database.transaction() as db:
        await db.execute("TRUNCATE papers, announcements, batches, entries, summaries, dead_letters")
    await publisher.handle(*messages)
    return await publisher.seen()


async def test_the_two_days_show_what_they_should(publisher: Publisher) -> None:
    await publisher.handle(*some_days())

    assert await publisher.ids("gpu") == ["2512.00000", "2512.00001", "2512.00002", "2512.00003", "2512.00007"]
    assert await publisher.ids("llm") == ["2512.00001", "2512.00002", "2512.00000", "2512.00004"]


async def test_an_entry_appears_when_its_paper_and_all_its_summaries_are_there(publisher: Publisher) -> None:
    both = (ENGLISH, SummaryKind(language="de"))
    await publisher.handle(a_selected("2512.00000", a_pick(waits_for=both)))
    await publisher.handle(a_summary("2512.00000"))
    await publisher.handle(a_scored(0))
    assert await publisher.ids() == []

    await publisher.handle(a_summary("2512.00000", language="de"))
    assert await publisher.ids() == ["2512.00000"]


async def test_an_entry_without_its_paper_stays_hidden_even_after_its_deadline(database_url: str) -> None:
    async with a_publisher(database_url, entry_deadline=0) as publisher:
        await publisher.handle(a_selected("2512.00000"))
        assert await publisher.store.reveal_due() == {}

        await publisher.handle(a_scored(0))
        assert await publisher.ids() == ["2512.00000"]


async def test_an_entry_appears_at_its_deadline_without_its_summary(database_url: str) -> None:
    async with a_publisher(database_url, entry_deadline=0.2) as publisher:
        await publisher.handle(a_scored(0), a_selected("2512.00000"))
        assert await publisher.ids() == []

        revealed = await eventually(publisher.store.reveal_due)

        assert revealed == {"gpu": 1}
        [entry] = await publisher.library.latest("gpu", 10)
        assert (entry.summary, entry.no_summary) == (None, None)


async def test_a_late_summary_changes_the_content_and_no_date(database_url: str) -> None:
    async with a_publisher(database_url, entry_deadline=0) as publisher:
        await publisher.handle(a_scored(0), a_selected("2512.00000"))
        [before] = await publisher.library.latest("gpu", 10)

        await publisher.handle(a_summary("2512.00000"))

        [after] = await publisher.library.latest("gpu", 10)
        assert after.summary
        assert after.summary.text.tldr == "It is faster."
        assert (after.published, after.updated) == (before.published, before.updated)


async def test_a_new_version_updates_the_entry_and_is_no_new_one(publisher: Publisher) -> None:
    await publisher.handle(a_scored(0), a_selected("2512.00000"), a_summary("2512.00000"))
    second = a_paper(id="2512.00000", version=2, title="Better now")

    await publisher.handle(a_scored(0, paper=second, kind="replace", **NEXT_DAY))
    await publisher.handle(a_selected("2512.00000", a_pick(rank=7), version=2, **NEXT_DAY))

    [entry] = await publisher.library.latest("gpu", 10)
    assert (entry.paper.title, entry.rank, entry.date) == ("Better now", 1, date(2025, 12, 10))
    assert entry.updated == datetime(2025, 12, 11, 5, tzinfo=UTC)
    assert entry.published == datetime(2025, 12, 10, 5, 16, 39, tzinfo=UTC)


async def test_an_entry_keeps_where_its_terms_stand(publisher: Publisher) -> None:
    spans = (Span(field="title", start=0, end=7), Span(field="authors", start=1, end=2))
    reasons = (Reason(term="Chopper", field="title", weight=1.5, spans=spans),)
    pick = a_pick(waits_for=()).model_copy(update={"reasons": reasons})

    await publisher.handle(a_scored(0), a_selected("2512.00000", pick))

    [entry] = await publisher.library.latest("gpu", 10)
    assert entry.reasons == reasons


async def test_a_post_keeps_the_address_where_its_source_shows_it(publisher: Publisher) -> None:
    post = a_paper(id="lab:post", source="lab", url="https://lab.example.org/post")
    await publisher.handle(a_scored(paper=post), a_selected("lab:post", a_pick(waits_for=())))

    [entry] = await publisher.library.latest("gpu", 10)
    assert entry.paper.url == "https://lab.example.org/post"
    assert await publisher.library.paper("lab:post") == post


async def test_an_older_version_that_comes_late_changes_nothing(publisher: Publisher) -> None:
    second = a_paper(id="2512.00000", version=2, title="Better now")
    await publisher.handle(a_scored(0, paper=second, **NEXT_DAY), a_scored(0))

    paper = await publisher.library.paper("2512.00000")

    assert paper == second


CC_BY = "http://creativecommons.org/licenses/by/4.0/"
ARXIV_S_OWN = "http://arxiv.org/licenses/nonexclusive-distrib/1.0/"


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("at_once", [True, False])
async def test_a_licence_is_not_lost_to_a_source_that_knows_none(
    publisher: Publisher, order: tuple[int, ...], at_once: bool
) -> None:
    told = [(CC_BY, "2025-12-08"), (ARXIV_S_OWN, "2025-12-09"), (None, "2025-12-10")]
    events = [
        a_scored(paper=a_paper(license=known, title=f"Of {day}"), date=date.fromisoformat(day), batch=f"backfill:{day}")
        for known, day in (told[place] for place in order)
    ]
    if at_once:
        await publisher.store.scored(events)
    else:
        await publisher.handle(*events)

    paper = await publisher.library.paper("2512.08242")
    assert paper is not None
    assert (paper.title, paper.license) == ("Of 2025-12-10", CC_BY)


async def test_a_new_version_has_no_licence_but_its_own(publisher: Publisher) -> None:
    await publisher.handle(a_scored(0, paper=a_paper(license=CC_BY)))
    second = a_paper(version=2)
    await publisher.handle(a_scored(0, paper=second, **NEXT_DAY), a_scored(0, paper=a_paper(license=CC_BY)))

    assert await publisher.library.paper("2512.08242") == second


async def test_a_better_summary_replaces_a_worse_one_but_never_the_other_way(publisher: Publisher) -> None:
    chosen = StructuredSummary(tldr="A sentence of the abstract.")
    await publisher.handle(a_scored(0), a_selected("2512.00000"))
    await publisher.handle(a_summary("2512.00000"))
    await publisher.handle(a_summary("2512.00000", summary=chosen, made_by="extraction", model=None))

    [entry] = await publisher.library.latest("gpu", 10)

    assert entry.summary
    assert entry.summary.made_by == "model"


async def test_what_a_model_has_read_is_kept(publisher: Publisher) -> None:
    await publisher.handle(a_scored(0), a_selected("2512.00000"), a_summary("2512.00000", source="full text"))

    [entry] = await publisher.library.latest("gpu", 10)

    assert entry.summary
    assert entry.summary.source == "full text"


async def test_why_there_is_no_summary_is_said(publisher: Publisher) -> None:
    refusal = a_summary("2512.00000", summary=None, made_by=None, reason="the model refused")
    await publisher.handle(a_scored(0), a_selected("2512.00000"), refusal)

    [entry] = await publisher.library.latest("gpu", 10)

    assert (entry.summary, entry.no_summary) == (None, "the model refused")


ASKED = pytest.mark.parametrize(
    "asked",
    [
        SummaryRequested(paper=a_paper(id="2512.00000"), style="structured", language="en"),
        TextRequested(paper=a_paper(id="2512.00000"), summaries=(SummaryKind(language="de"), ENGLISH)),
    ],
    ids=lambda asked: str(asked.SUBJECT),
)


@ASKED
async def test_a_dead_summary_request_holds_nothing_back(publisher: Publisher, asked: Message) -> None:
    await publisher.handle(a_scored(0), a_selected("2512.00000"))

    await publisher.handle(a_dead(asked))

    [entry] = await publisher.library.latest("gpu", 10)
    assert entry.no_summary == "it was given up after several tries"


async def test_what_lies_in_dead_letters_is_accounted_for(publisher: Publisher) -> None:
    await publisher.handle(a_scored(0), a_scored(1), a_selected("2512.00000"), a_summary("2512.00000"))
    await publisher.handle(a_selected("2512.00002", a_pick(rank=3)), a_closing(3))
    [before] = await publisher.library.statuses(14)
    assert not before.complete

    await publisher.handle(a_dead(a_scored(2), 1), a_dead(a_selected("2512.00001", a_pick(rank=2)), 2))

    [status] = await publisher.library.statuses(14)
    assert (status.announced, status.scored, status.dead_papers) == (3, 2, 1)
    assert (status.selected, status.published, status.waiting, status.dead_entries) == (3, 1, 0, 2)
    assert status.complete


@pytest.mark.parametrize("body", [b"", b"\xff\x00", b"{", b"[]", b'{"batch": 5, "paper": {}, "version": "1"}'])
@ASKED
async def test_a_dead_letter_without_a_readable_body_is_known_by_its_headers(
    publisher: Publisher, body: bytes, asked: Message
) -> None:
    await publisher.handle(a_closing(2), a_scored(0), a_selected("2512.00000"))

    await publisher.handle(*(replace(a_dead(event, n), data=body) for n, event in enumerate((a_scored(1), asked))))

    [status] = await publisher.library.statuses(14)
    assert (status.dead_papers, status.published, status.complete) == (1, 1, True)


RUBBISH = b'{"batch": "arxiv:2025-12-10"}'
STRANGE = b'{"batch": "arxiv:2025-12-10", "paper": {"id": "9999.99999", "version": 1}}'


@pytest.mark.parametrize("rubbish", [RUBBISH, STRANGE], ids=["of no paper", "of a paper that was not announced"])
async def test_rubbish_that_names_a_batch_is_no_paper_of_it(publisher: Publisher, rubbish: bytes) -> None:
    letter = DeadLetter("papers.announced", rubbish, "not readable", 1, "scorer", 1)

    await publisher.handle(a_closing(2), letter, a_scored(0), a_scored(1))

    [status] = await publisher.library.statuses(14)
    assert (status.announced, status.scored, status.dead_papers, status.complete) == (2, 2, 0, True)
    assert (await publisher.library.counts()).dead_letters == 1


async def test_rubbish_of_no_paper_does_not_stand_for_one_that_is_missing(publisher: Publisher) -> None:
    await publisher.handle(a_closing(2), a_scored(0), DeadLetter("papers.announced", RUBBISH, "broken", 1, "any", 1))

    [status] = await publisher.library.statuses(14)

    assert (status.scored, status.dead_papers, status.complete) == (1, 0, False)


async def test_a_dead_letter_that_was_replayed_is_no_longer_counted(publisher: Publisher) -> None:
    await publisher.handle(a_closing(1), a_dead(a_scored(0)))
    await publisher.handle(a_scored(0))

    [status] = await publisher.library.statuses(14)

    assert (status.scored, status.dead_papers, status.complete) == (1, 0, True)


@pytest.mark.parametrize("far", [date(2099, 1, 1), date(9999, 12, 31)])
async def test_a_batch_dated_far_ahead_does_not_hide_the_others(publisher: Publisher, far: date) -> None:
    await publisher.handle(a_scored(0), a_closing(2), a_closing(0, batch="x:far", date=far))

    statuses = await publisher.library.statuses(14)

    assert [(status.batch, status.complete) for status in statuses] == [("x:far", True), ("arxiv:2025-12-10", False)]


async def test_a_batch_that_is_not_closed_is_not_complete(publisher: Publisher) -> None:
    await publisher.handle(a_scored(0))

    [status] = await publisher.library.statuses(14)

    assert (status.announced, status.scored, status.complete) == (0, 1, False)
    assert status.reason == "still being read"


async def test_a_dead_letter_with_any_body_is_stored(publisher: Publisher) -> None:
    bodies = [b"", b"\xff\xfe", b"[" * 100_000, b'{"batch": "a\\u0000b", "paper": 7, "picks": [null, {"feed": []}]}']
    for sequence, body in enumerate(bodies, start=1):
        await publisher.handle(DeadLetter("papers.scored", body, "broken\x00", 5, "any", sequence))

    assert (await publisher.library.counts()).dead_letters == len(bodies)


async def test_nul_characters_never_reach_postgres(publisher: Publisher) -> None:
    paper = a_paper(id="2512.\x0000000", title="A\x00B", authors=("C\x00D",), abstract=r"the letters \u0000 stay")
    await publisher.handle(a_scored(0, paper=paper))

    stored = await publisher.library.paper("2512.00000")

    assert stored == a_paper(id="2512.00000", title="AB", authors=("CD",), abstract=r"the letters \u0000 stay")


async def test_a_paper_that_two_feeds_took_counts_once_under_its_best_rank(publisher: Publisher) -> None:
    picks = a_pick("gpu", 3, waits_for=()), a_pick("llm", 2, waits_for=())
    await publisher.handle(a_scored(0), a_scored(1), a_selected("2512.00000", *picks))
    await publisher.handle(a_selected("2512.00001", a_pick("gpu", 1, waits_for=())))

    entries = await publisher.library.latest_of_all(FEEDS, 10)

    assert [(entry.paper.id, entry.feed, entry.rank) for entry in entries] == [
        ("2512.00001", "gpu", 1),
        ("2512.00000", "llm", 2),
    ]


async def test_a_selection_in_several_parts_is_the_selection_in_whatever_order_they_come(publisher: Publisher) -> None:
    first = a_selected("2512.00001", a_pick("gpu", waits_for=()))
    second = a_selected("2512.00001", a_pick("llm", rank=2, waits_for=()), part=2)

    await publisher.handle(second, a_scored(paper=a_paper(id="2512.00001")), first, second, first)

    assert await publisher.ids("gpu") == await publisher.ids("llm") == ["2512.00001"]
    [status] = await publisher.library.statuses(14)
    assert (status.selected, status.published) == (2, 2)


async def test_a_dead_part_of_a_selection_is_accounted_for_with_its_own_picks(publisher: Publisher) -> None:
    first = a_selected("2512.00001", a_pick("gpu", waits_for=()))
    second = a_selected("2512.00001", a_pick("llm", rank=2, waits_for=()), part=2)

    await publisher.handle(first, a_scored(paper=a_paper(id="2512.00001")), a_dead(second))

    [status] = await publisher.library.statuses(14)
    assert (status.selected, status.published, status.dead_entries) == (2, 1, 1)


async def test_a_value_that_the_database_cannot_hold_is_the_message_s_own_fault(publisher: Publisher) -> None:
    with pytest.raises(Permanent, match="Postgres cannot store this"):
        await publisher.store.scored([a_scored(2**31)])


async def test_one_batch_of_messages_may_hold_the_same_paper_twice(publisher: Publisher) -> None:
    second = a_paper(id="2512.00000", version=2, title="Better now")
    await publisher.store.scored([a_scored(0, paper=second), a_scored(0), a_scored(0)])

    paper = await publisher.library.paper("2512.00000")

    assert paper == second


async def test_every_change_raises_the_version_and_a_repetition_does_not(publisher: Publisher) -> None:
    messages = some_days()
    await publisher.handle(*messages)
    before = await publisher.library.version()

    await publisher.handle(*messages)
    assert await publisher.library.version() == before

    await publisher.handle(a_scored(99))
    assert (await publisher.library.version()).number > before.number


async def test_two_publishers_at_once_never_wait_for_each_other_in_a_circle(database_url: str) -> None:
    papers = [f"2512.{n:05d}" for n in range(60)]
    chance = random.Random(1)

    async def work(publisher: Publisher) -> None:
        for _ in range(10):
            ids = chance.sample(papers, 40)
            selected = [a_selected(i, a_pick("gpu"), a_pick("llm")) for i in ids]
            await asyncio.gather(
                publisher.store.scored([a_scored(0, paper=a_paper(id=i)) for i in ids]),
                publisher.store.selected(selected),
                publisher.store.summarised([a_summary(i) for i in ids]),
                publisher.store.reveal(ids),
                publisher.store.told((i, "gpu") for i in ids),
            )
        await publisher.store.reveal(papers)

    async with a_publisher(database_url) as one, a_publisher(database_url) as other:
        await asyncio.gather(work(one), work(other))
        assert len(await one.ids()) == len(papers)


async def test_while_postgres_is_away_everything_is_unavailable_and_afterwards_it_works(
    postgres: Postgres, database_url: str
) -> None:
    async with a_publisher(database_url) as publisher:
        await asyncio.gather(*(publisher.library.version() for _ in range(30)))  # many idle connections
        await asyncio.to_thread(postgres.stop)
        with pytest.raises(Unavailable, match="Postgres does not answer"):
            await publisher.store.scored([a_scored(0)])
        assert await publisher.database.ready()

        await asyncio.to_thread(postgres.start)

        await eventually(lambda: is_stored(publisher))
        assert await publisher.database.ready() is None


async def test_idle_connections_that_a_crash_broke_cost_at_most_one_try(postgres: Postgres, database_url: str) -> None:
    async with a_publisher(database_url) as publisher:
        await asyncio.gather(*(publisher.library.version() for _ in range(30)))
        await asyncio.to_thread(postgres.kill)
        await asyncio.to_thread(postgres.start)

        with suppress(Unavailable):
            await publisher.library.version()
        await publisher.store.scored([a_scored(0)])


async def is_stored(publisher: Publisher) -> bool:
    with suppress(Unavailable):
        await publisher.store.scored([a_scored(0)])
        return True
    return False


async def test_the_newest_check_of_a_day_counts_in_whatever_order_they_come(publisher: Publisher) -> None:
    gap = (a_gap(late=2, stale=True),)
    checks = [a_check(1), a_check(3, complete=False, reason="cs.AI lacks \x00 3", categories=gap), a_check(2)]
    await publisher.handle(*checks, a_check(1, date=date(2025, 12, 9)), checks[1])

    newest, earlier = await publisher.library.checks(14)

    assert (newest.check, newest.complete, newest.reason) == (3, False, "cs.AI lacks  3")
    assert newest.categories == gap
    assert (earlier.date, earlier.check) == (date(2025, 12, 9), 1)


async def test_a_backfill_is_no_announcement(publisher: Publisher) -> None:
    backfilled: dict[str, Any] = {"batch": "backfill:2024", "kind": "backfill", "date": date(2026, 1, 1)}
    await publisher.handle(a_scored(0), a_closing(1), a_scored(1, **backfilled))

    assert [status.batch for status in await publisher.library.statuses(14)] == ["arxiv:2025-12-10"]
    assert await publisher.library.status_of(date(2026, 1, 1)) is None


async def test_a_supplements_entries_follow_the_days_own_each_in_its_own_second(publisher: Publisher) -> None:
    late: dict[str, Any] = {"batch": "arxiv:2025-12-10.2"}
    await publisher.handle(*(a_scored(number) for number in range(4)), *(a_scored(n, **late) for n in (4, 5)))
    await publisher.handle(a_selected("2512.00005", a_pick(rank=4, waits_for=()), **late))
    await publisher.handle(*(a_selected(f"2512.{n:05d}", a_pick(rank=n, waits_for=())) for n in (3, 2, 1)))
    await publisher.handle(a_selected("2512.00004", a_pick(rank=5, waits_for=()), **late))

    entries = await publisher.library.latest("gpu", 10)

    assert [entry.paper.id[-1] for entry in entries] == ["1", "2", "3", "5", "4"]
    assert [entry.published.second for entry in entries] == [39, 38, 37, 36, 35]
