"""Embeddings beside words, from a server with the faults of real ones, cached in a real NATS server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from services.scorer.embedding import EmbeddingFailed, Endpoint, read
from services.scorer.embeddings import Embeddings
from services.scorer.likeness import Profiles
from services.scorer.meaning import Meaning
from services.scorer.settings import Settings
from shared.bus import Bus
from shared.feeds import FeedConfig
from shared.library import LikedPaper
from shared.metrics import Metrics
from shared.provision import EMBEDDINGS_BUCKET
from shared.settings import explain
from tests.builders import a_paper
from tests.buses import a_connected_bus
from tests.llm_server import Answer, LlmServer, embeddings, error, html

GALAXIES = LikedPaper("2401.00001", "Dwarf galaxies", "Dark matter halos and rotation curves of dwarf galaxies.")
GARDENS = LikedPaper("2401.00002", "Tulips", "Gardens of tulips and roses in spring.")
PAPERS = [
    a_paper(id="2512.00001", title="Halos of dwarf galaxies", abstract="Rotation curves and dark matter."),
    a_paper(id="2512.00002", title="Roses and tulips", abstract="What grows in gardens in spring."),
    a_paper(id="2512.00003", title="Compilers", abstract="Register allocation by colouring."),
]


def profiles(*liked: LikedPaper, least: float = 0.05) -> Profiles:
    feeds = [FeedConfig(slug="sky", title="Sky", like=("x",), min_likeness=least)]
    return Profiles.of(feeds, {"sky": liked or (GALAXIES, GARDENS)}, keep_texts=True)


def sky(found: Profiles) -> list[float]:
    return [values.get("sky", 0.0) for values in found.likeness(PAPERS)]


WORDS_ALONE = sky(profiles())


class World:
    """A cache, a model server, and what was counted."""

    def __init__(self, bus: Bus, server: LlmServer, metrics: Metrics, made: Embeddings) -> None:
        self.bus, self.server, self.metrics, self.embeddings = bus, server, metrics, made

    def count(self, outcome: str) -> float | None:
        return self.metrics.registry.get_sample_value("paperwire_embeddings_total", {"outcome": outcome})

    def errors(self, reason: str) -> float | None:
        return self.metrics.registry.get_sample_value("paperwire_embedding_errors_total", {"reason": reason})


@asynccontextmanager
async def a_world(
    nats_url: str, *script: Answer, rest: float = 0.0, timeout: float = 5, **limits: Any
) -> AsyncIterator[World]:
    async with a_connected_bus(nats_url) as bus, LlmServer(*script) as server:
        metrics = Metrics("test")
        endpoint = Endpoint(server.url, "none", "tiny-embed", timeout=timeout)
        async with Embeddings(bus, endpoint, metrics, rest=rest, **limits) as made:
            yield World(bus, server, metrics, made)


async def test_words_and_embeddings_are_averaged(nats_url: str) -> None:
    async with a_world(nats_url) as world:
        found = profiles()
        await world.embeddings.prepare(found, PAPERS)
        assert found.meaning is not None
        meant = [found.meaning.values(paper.versioned_id) for paper in PAPERS]

        assert all(value is not None and 0 <= value[0] <= 1 for value in meant)
        averages = [
            (word + float(value[0])) / 2 for word, value in zip(WORDS_ALONE, meant, strict=True) if value is not None
        ]
        assert sky(found) == pytest.approx([value if value >= 0.05 else 0.0 for value in averages], abs=0.0002)
        assert sky(found)[0] > sky(found)[2]
        assert found.why(PAPERS[0], "sky").value == sky(found)[0]


async def test_the_liked_paper_itself_is_exactly_like_it_by_both(nats_url: str) -> None:
    async with a_world(nats_url) as world:
        found = profiles(GALAXIES)
        paper = a_paper(title=GALAXIES.title, abstract=GALAXIES.abstract)
        await world.embeddings.prepare(found, [paper])

        assert found.likeness([paper]) == [{"sky": 1.0}]


async def test_every_text_is_asked_for_once_by_all_replicas_and_after_restarts(nats_url: str) -> None:
    async with a_world(nats_url) as world:
        first = profiles()
        await world.embeddings.prepare(first, PAPERS)
        asked = len(world.server.requests)
        for _ in range(2):
            again = profiles()
            await world.embeddings.prepare(again, PAPERS)
            assert sky(again) == sky(first)
        assert len(world.server.requests) == asked
        await world.embeddings.prepare(first, [PAPERS[0].model_copy(update={"version": 2, "abstract": "New."})])

        assert [request["input"] for request in world.server.requests[asked:]] == [["Halos of dwarf galaxies\nNew."]]
        assert world.count("cache") is not None
        status = await (await world.bus.key_value(EMBEDDINGS_BUCKET)).status()
        assert status.ttl == 14 * 24 * 3600


async def test_texts_go_out_sixty_four_at_a_time_and_cut(nats_url: str) -> None:
    many = [a_paper(id=f"2512.{n:05d}", title=f"Paper {n}", abstract="word " * 2_000) for n in range(130)]
    async with a_world(nats_url) as world:
        found = profiles()
        await world.embeddings.prepare(found, many)

        assert [len(request["input"]) for request in world.server.requests] == [14, 64, 64, 2]
        assert max(len(text) for request in world.server.requests for text in request["input"]) == 2_000


def nan_in(request: Sequence[str]) -> Answer:
    data = [{"index": n, "embedding": [float("nan")] * 8} for n in range(len(request))]
    return Answer(json.dumps({"data": data}).encode())


FAULTS = {
    "429": (error(429, {"error": {"message": "slow down"}}, retry_after="60"), "rate limited"),
    "500": (error(500, "oops"), "connection"),
    "503": (error(503, "loading"), "connection"),
    "404 no such model": (error(404, {"error": {"message": "model not found"}}), "refused"),
    "HTML": (html(), "unusable answer"),
    "no JSON": (Answer(b"{"), "unusable answer"),
    "half an answer": (Answer(b'{"data": [' + b" " * 99, cut_after=20), "connection"),
    "too few": (embeddings({"input": ["a"], "model": "m"}), "unusable answer"),
    "numbers that are none": (nan_in(["a"] * 14), "unusable answer"),
    "a list": (Answer(b"[]"), "unusable answer"),
    "zeros": (
        Answer(json.dumps({"data": [{"index": n, "embedding": [0, 0]} for n in range(14)]}).encode()),
        "unusable answer",
    ),
    "no answer": (Answer(b"", hold=True), "timeout"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_when_the_endpoint_fails_words_decide_until_it_is_well_again(nats_url: str, fault: str) -> None:
    answer, reason = FAULTS[fault]
    async with a_world(nats_url, answer, timeout=0.3 if answer.hold else 5) as world:
        found = profiles()
        await world.embeddings.prepare(found, PAPERS)

        assert found.meaning is None
        assert sky(found) == WORDS_ALONE
        assert world.errors(reason) == 1
        if fault != "429":
            await world.embeddings.prepare(found, PAPERS)
            assert found.meaning is not None
        world.server.release()


async def test_a_batch_whose_papers_get_none_is_compared_by_words(nats_url: str) -> None:
    async with a_world(nats_url) as world:
        found = profiles()
        await world.embeddings.prepare(found, PAPERS[:1])
        world.server.script.append(error(500, "oops"))
        await world.embeddings.prepare(found, PAPERS[1:])

        values = sky(found)
        assert values[0] != WORDS_ALONE[0]
        assert values[1:] == WORDS_ALONE[1:]
        assert world.count("none") == 2


async def test_after_a_failure_the_endpoint_is_left_alone(nats_url: str) -> None:
    async with a_world(nats_url, error(503, "loading"), rest=60) as world:
        found = profiles()
        for _ in range(5):
            await world.embeddings.prepare(found, PAPERS)

        assert len(world.server.requests) == 1
        assert sky(found) == WORDS_ALONE


async def test_a_slow_endpoint_holds_no_batch_up(nats_url: str) -> None:
    async with a_world(nats_url, Answer(b"", hold=True), timeout=60, within=0.2) as world:
        found = profiles()
        await world.embeddings.prepare(found, PAPERS)

        assert sky(found) == WORDS_ALONE
        assert world.errors("timeout") == 1
        world.server.release()


async def test_rubbish_in_the_cache_is_made_anew(nats_url: str) -> None:
    async with a_world(nats_url) as world:
        await world.embeddings.prepare(profiles(), PAPERS)
        kv = await world.bus.key_value(EMBEDDINGS_BUCKET)
        for number, key in enumerate(await kv.keys()):
            await kv.put(key, (b"x", b"", np.array([np.nan] * 64, np.float16).tobytes())[number % 3])
        found = profiles()
        await world.embeddings.prepare(found, PAPERS)

        assert found.meaning is not None


async def test_profiles_without_anything_liked_ask_nothing(nats_url: str) -> None:
    async with a_world(nats_url) as world:
        await world.embeddings.prepare(Profiles.of([], {}, keep_texts=True), PAPERS)

        assert world.server.requests == []


async def test_an_unreachable_endpoint_is_told_as_such() -> None:
    async with Endpoint("http://127.0.0.1:9/v1", "none", "m") as endpoint:
        with pytest.raises(EmbeddingFailed) as failed:
            await endpoint.embed(["a"])
    assert failed.value.reason == "connection"


def test_vectors_are_put_into_the_order_of_the_texts() -> None:
    body = json.dumps({"data": [{"index": 1, "embedding": [0, 2]}, {"index": 0, "embedding": [3, 0]}]}).encode()

    assert read(body, 2).tolist() == [[1, 0], [0, 1]]


def test_the_order_of_liked_papers_changes_no_value() -> None:
    one, other = profiles(GALAXIES, GARDENS), profiles(GARDENS, GALAXIES)
    assert one.texts == other.texts
    vectors = np.random.default_rng(1).normal(size=(3, 300))
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    for found in (one, other):
        found.meaning = Meaning(found.layout, unit[:2], 0.0)
        found.meaning.add({paper.versioned_id: unit[2] for paper in PAPERS})
    assert sky(one) == sky(other)


def test_a_key_goes_only_to_the_endpoint_that_it_belongs_to(tmp_path: Any) -> None:
    base: dict[str, Any] = {"nats_url": "nats://n", "feeds_file": tmp_path, "embedding_model": "m"}
    llm: dict[str, Any] = {"llm_base_url": "http://llm/v1", "llm_api_key": "secret"}

    assert Settings(**base, **llm).embedding_endpoint == ("http://llm/v1", "secret")
    assert Settings(**base, **llm, embedding_base_url="http://e/v1").embedding_endpoint == ("http://e/v1", "none")
    with pytest.raises(ValueError, match="EMBEDDING_BASE_URL is missing") as wrong:
        Settings(**base)
    assert "EMBEDDING_BASE_URL is missing" in explain(Settings, dict(wrong.value.errors()[0]))  # type: ignore[attr-defined]
