"""The local arXiv answers as the recorded one did."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import httpx
import pytest

from cli.local.arxiv import EMPTY, EXPIRED, UNAVAILABLE, Replay, api, protocol_error, rate_limited, replay_app
from tests.announcements import RECORDED, WEEK, recorded


def read(path: str) -> bytes:
    return (Path(RECORDED) / path).read_bytes()


DAY = date(2026, 9, 27)
PAGES = [read(f"oai/listrecords_arXivRaw_new_server_2026-09-27_page{number}.xml") for number in (1, 2)]
PAPERS = api.entries(read("api/q_testing_start10_max10.xml"), read("api/id_old_style_astro-ph_0601001.xml"))


@pytest.fixture
def arxiv() -> Replay:
    replay = Replay({"cs.AI+cs.CL": recorded(WEEK[2])})
    replay.atom["cs.AI"] = recorded("cs.AI.2025-08-20.atom.xml")
    replay.oai.pages["arXivRaw"] = {DAY: PAGES}
    replay.api = dict(PAPERS)
    replay.pages |= {"/abs/2512.00001": b"<html>abs</html>", "/pdf/2512.00001v1": b"%PDF"}
    replay.listings["cs.AI"] = b"list"
    return replay


async def get(arxiv: Replay, url: str, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(replay_app(arxiv))
    async with httpx.AsyncClient(transport=transport, base_url="http://arxiv.test") as client:
        return await client.get(url, headers=headers)


async def test_an_announcement_is_served_in_both_forms(arxiv: Replay) -> None:
    assert (await get(arxiv, "/rss/cs.AI")).content == recorded(WEEK[2])
    assert (await get(arxiv, "/atom/cs.AI")).content == recorded("cs.AI.2025-08-20.atom.xml")
    assert (await get(arxiv, "/rss/math.AG")).status_code == 400


async def test_a_changed_announcement_under_one_etag_is_not_modified_for_who_asks_so(arxiv: Replay) -> None:
    arxiv.etag = '"one"'
    first = await get(arxiv, "/rss/cs.AI")
    arxiv.documents["cs.AI+cs.CL"] = recorded(WEEK[3])

    assert (await get(arxiv, "/rss/cs.AI", **{"If-None-Match": first.headers["etag"]})).status_code == 304
    assert (await get(arxiv, "/rss/cs.AI")).content == recorded(WEEK[3])


async def test_an_empty_announcement_is_the_recorded_one_without_its_items(arxiv: Replay) -> None:
    arxiv.fault = EMPTY
    document = (await get(arxiv, "/rss/cs.AI")).content

    assert b"<item>" not in document
    assert b"<lastBuildDate>" in document


def token(page: bytes) -> str:
    (found,) = re.findall(rb"<resumptionToken[^>]*>([^<]*)<", page)
    return str(found.decode())


async def test_a_harvest_leads_from_page_to_page_to_the_end(arxiv: Replay) -> None:
    first = (await get(arxiv, "/oai?verb=ListRecords&metadataPrefix=arXivRaw&from=2026-09-25")).content
    second = (await get(arxiv, f"/oai?verb=ListRecords&resumptionToken={token(first)}")).content

    identifiers = re.compile(rb"<identifier>[^<]*")
    assert identifiers.findall(first + second) == identifiers.findall(b"".join(PAGES))
    assert token(second) == ""
    assert b'completeListSize="4"' in first


async def test_a_page_that_had_no_token_gets_one_when_another_follows(arxiv: Replay) -> None:
    page = read("oai/listrecords_arXiv_new_server_2026-09-20_3.xml")
    arxiv.oai.pages["arXiv"] = {DAY: [page, PAGES[1]]}
    first = (await get(arxiv, "/oai?verb=ListRecords&metadataPrefix=arXiv")).content
    second = (await get(arxiv, f"/oai?verb=ListRecords&resumptionToken={token(first)}")).content

    assert re.sub(rb"<resumptionToken>[^<]+</resumptionToken>", b"", first) == page
    assert second == without_token(PAGES[1])


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "badVerb"),
        ("verb=ListRecords", "badArgument"),
        ("verb=ListRecords&metadataPrefix=arXivRaw&from=yesterday", "badArgument"),
        ("verb=ListRecords&metadataPrefix=arXivRaw&from=2026-09-25&until=2026-09-24", "badArgument"),
        ("verb=ListRecords&metadataPrefix=arXivRaw&resumptionToken=arXivRaw|1", "badArgument"),
        ("verb=ListRecords&metadataPrefix=marc", "cannotDisseminateFormat"),
        ("verb=ListRecords&metadataPrefix=arXiv", "noRecordsMatch"),
        ("verb=ListRecords&resumptionToken=bogus", "badResumptionToken"),
        ("verb=ListRecords&resumptionToken=1|arXivRaw|2026-09-25|2026-09-30|2", "badResumptionToken"),
        ("verb=ListRecords&resumptionToken=2|arXivRaw|2026-09-25|2026-09-30|1", "badResumptionToken"),
        ("verb=ListRecords&metadataPrefix=arXivRaw&until=2026-09-26", "noRecordsMatch"),
        ("verb=ListRecords&metadataPrefix=arXivRaw&set=no set", "badArgument"),
    ],
)
async def test_every_error_of_the_protocol_is_answered(arxiv: Replay, query: str, code: str) -> None:
    response = await get(arxiv, f"/oai?{query}")

    assert response.status_code == 200
    assert re.findall(r'<error code="(\w+)">', response.text) == [code]


@pytest.mark.parametrize("code", ["badArgument", "badResumptionToken", "noRecordsMatch"])
async def test_an_error_reads_as_the_recorded_one(arxiv: Replay, code: str) -> None:
    query = {
        "badArgument": "verb=ListRecords",
        "badResumptionToken": "verb=ListRecords&resumptionToken=bogus",
        "noRecordsMatch": "verb=ListRecords&metadataPrefix=arXiv&from=2026-09-12&until=2026-09-12",
    }[code]
    told = re.compile(r"<error code=.(\w+).>([^<]*)</error>")

    assert told.findall((await get(arxiv, f"/oai?{query}")).text) == told.findall(
        read(f"oai/error_{code}_2026.xml").decode()
    )


def counts(document: str) -> dict[str, int]:
    return {name: int(number) for name, number in re.findall(r"<opensearch:(\w+)>(\d+)<", document)}


async def test_a_search_is_answered_in_pages(arxiv: Replay) -> None:
    pages = [(await get(arxiv, f"/api/query?search_query=all:x&start={n}&max_results=4")).text for n in (0, 4, 8, 12)]

    assert [list(api.entries(page.encode())) for page in pages] == [
        list(PAPERS)[:4],
        list(PAPERS)[4:8],
        list(PAPERS)[8:],
        [],
    ]
    assert counts(pages[1]) == {"itemsPerPage": 4, "totalResults": 11, "startIndex": 4}


async def test_ids_are_found_with_and_without_version_and_missing_ones_left_out(arxiv: Replay) -> None:
    known = next(iter(PAPERS))
    arxiv.api["2403.16981v1"] = PAPERS["2403.16981v2"]
    document = (await get(arxiv, f"/api/query?id_list=2403.16981,0808.05394,{known},astro-ph/0601001")).content

    assert list(api.entries(document)) == ["2403.16981v2", "astro-ph/0601001v1"]
    assert known == "2403.16981v2"
    assert counts(document.decode())["totalResults"] == 3


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("id_list=abc", "incorrect id format for abc"),
        ("search_query=x&start=-1", "start must be a non-negative integer"),
        ("search_query=x&max_results=many", "max_results must be a non-negative integer"),
        ("search_query=x&start=29999&max_results=2", "at most 30000"),
    ],
)
async def test_a_bad_query_is_http_400_with_an_entry_that_says_why(arxiv: Replay, query: str, why: str) -> None:
    response = await get(arxiv, f"/api/query?{query}")

    assert response.status_code == 400
    assert "<title>Error</title>" in response.text
    assert why in response.text


async def test_a_spuriously_empty_page_tells_the_right_total(arxiv: Replay) -> None:
    arxiv.faults.append(EMPTY)
    document = (await get(arxiv, "/api/query?search_query=x")).text

    assert "<entry>" not in document
    assert counts(document)["totalResults"] == 11


async def test_the_site_serves_its_pages_and_says_what_is_not_there(arxiv: Replay) -> None:
    assert (await get(arxiv, "/abs/2512.00001")).content == b"<html>abs</html>"
    assert (await get(arxiv, "/pdf/2512.00001v1")).headers["content-type"] == "application/pdf"
    assert (await get(arxiv, "/list/cs.AI/new?skip=0&show=25")).content == b"list"
    assert (await get(arxiv, "/html/2512.00001v1")).status_code == 404


async def test_one_host_can_be_down_while_the_others_answer(arxiv: Replay) -> None:
    arxiv.fault = UNAVAILABLE.at("/oai")

    assert (await get(arxiv, "/oai")).status_code == 503
    assert (await get(arxiv, "/rss/cs.AI")).status_code == 200


async def test_every_request_is_written_down(arxiv: Replay) -> None:
    await get(arxiv, "/api/query?id_list=abc")

    assert [(asked.path, asked.query, asked.status) for asked in arxiv.asked] == [
        ("/api/query", {"id_list": "abc"}, 400)
    ]


def without_token(page: bytes) -> bytes:
    """As the page reads at the end of a list."""
    return re.sub(rb"<(resumptionToken[^>/]*)(?:/>|>[^<]*</resumptionToken>)", empty_element, page)


def empty_element(found: re.Match[bytes]) -> bytes:
    return b"<" + found[1].rstrip() + b"></resumptionToken>"


LIST = "/oai?verb=ListRecords&metadataPrefix=arXivRaw"


async def test_a_fault_waits_for_the_request_that_it_is_for(arxiv: Replay) -> None:
    arxiv.faults.extend([rate_limited("7").at("/oai"), EMPTY.at("/api/", start="4")])

    assert (await get(arxiv, "/rss/cs.AI")).status_code == 200
    assert "<entry>" in (await get(arxiv, "/api/query?search_query=x&start=0")).text
    assert "<entry>" not in (await get(arxiv, "/api/query?search_query=x&start=4")).text
    assert (await get(arxiv, LIST)).headers["retry-after"] == "7"
    assert (await get(arxiv, LIST)).status_code == 200
    assert not arxiv.faults


async def test_an_expired_token_is_no_trouble_for_a_first_request(arxiv: Replay) -> None:
    arxiv.faults.append(EXPIRED)
    first = await get(arxiv, LIST)
    resumed = f"/oai?verb=ListRecords&resumptionToken={token(first.content)}"

    assert b'code="badResumptionToken"' in (await get(arxiv, resumed)).content
    assert (await get(arxiv, resumed)).content == without_token(PAGES[1])


async def test_tokens_of_another_generation_have_expired_and_a_new_list_begins(arxiv: Replay) -> None:
    old = token((await get(arxiv, LIST)).content)
    arxiv.oai.generation += 1

    assert b'code="badResumptionToken"' in (await get(arxiv, f"/oai?verb=ListRecords&resumptionToken={old}")).content
    assert token((await get(arxiv, LIST)).content) != old


async def test_records_may_change_between_the_pages_of_a_list(arxiv: Replay) -> None:
    made = iter([PAGES[0], PAGES[1]])
    arxiv.oai.pages["arXivRaw"] = {DAY: [lambda: next(made)]}

    assert [(await get(arxiv, LIST)).content for _ in PAGES] == [without_token(page) for page in PAGES]


async def test_an_error_of_the_protocol_can_be_told_in_other_words(arxiv: Replay) -> None:
    arxiv.faults.append(protocol_error("badArgument", "Not on Mondays."))

    assert '<error code="badArgument">Not on Mondays.</error>' in (await get(arxiv, LIST)).text


async def test_only_the_days_that_are_asked_for_are_listed(arxiv: Replay) -> None:
    arxiv.oai.pages["arXivRaw"] = {date(2026, 9, 26): PAGES[:1], DAY: PAGES[1:]}

    assert (await get(arxiv, f"{LIST}&until=2026-09-26")).content == without_token(PAGES[0])
    assert (await get(arxiv, f"{LIST}&from=2026-09-27")).content == without_token(PAGES[1])


async def test_a_search_may_claim_more_results_than_there_are(arxiv: Replay) -> None:
    arxiv.total = 214_881
    known = next(iter(PAPERS))

    assert counts((await get(arxiv, "/api/query?search_query=x")).text)["totalResults"] == 214_881
    assert counts((await get(arxiv, f"/api/query?id_list={known}")).text)["totalResults"] == 1
