"""Embeddings of papers: from the cache that all replicas share, else from the endpoint; without them words decide."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import nats.errors
import numpy as np
from nats.js.errors import Error as JetStreamError
from nats.js.errors import KeyNotFoundError
from prometheus_client import Counter

from services.scorer.embedding import REASONS, EmbeddingFailed, Endpoint
from services.scorer.likeness import Profiles
from services.scorer.meaning import REFERENCES, Meaning, Vector, baseline, text_of
from services.scorer.settings import Settings
from shared.bus import Bus
from shared.messages import Paper
from shared.metrics import Metrics
from shared.provision import EMBEDDINGS_BUCKET

log = logging.getLogger(__name__)

AT_ONCE = 64
REST_SECONDS = 60.0
"""How long the endpoint is left alone after a failure: papers must not wait for it again and again."""
AWAY = (nats.errors.Error, JetStreamError, OSError, TimeoutError)


def build(settings: Settings, bus: Bus, metrics: Metrics) -> Embeddings | None:
    """None where no model is configured."""
    if not settings.embedding_model:
        return None
    url, key = settings.embedding_endpoint
    endpoint = Endpoint(url, key, settings.embedding_model, timeout=settings.embedding_timeout)
    return Embeddings(bus, endpoint, metrics, within=1.5 * settings.embedding_timeout)


class Embeddings:
    """Gives profiles a `Meaning`. Nothing here ever raises: what does not come is done without."""

    def __init__(
        self, bus: Bus, endpoint: Endpoint, metrics: Metrics, *, within: float = 15.0, rest: float = REST_SECONDS
    ) -> None:
        """`within`: seconds that a batch of papers waits at most."""
        bus.needs(key_value=EMBEDDINGS_BUCKET)
        self._bus = bus
        self._endpoint = endpoint
        self._within = within
        self._rest = rest
        self._resting_until = 0.0
        self._texts = Counter(
            "paperwire_embeddings",
            "Embeddings wanted, by where they came from: cache, model, or none.",
            ("outcome",),
            registry=metrics.registry,
        )
        self._errors = Counter(
            "paperwire_embedding_errors",
            "Requests for embeddings that brought none; the papers are compared by their words.",
            ("reason",),
            registry=metrics.registry,
        )
        for outcome in ("cache", "model", "none"):
            self._texts.labels(outcome)
        for reason in REASONS:
            self._errors.labels(reason)

    async def __aenter__(self) -> Self:
        await self._endpoint.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._endpoint.__aexit__(kind, error, trace)

    async def prepare(self, profiles: Profiles, papers: Sequence[Paper]) -> None:
        """Get the vectors of these papers, and of what is liked if that is still to be done."""
        if not profiles.texts:
            return
        try:
            async with asyncio.timeout(self._within):
                meaning = profiles.meaning or await self._meaning(profiles)
                if meaning is not None:
                    await self._add(meaning, papers)
        except TimeoutError:
            self._failed(EmbeddingFailed("timeout", f"a batch did not get its embeddings in {self._within:g} s"))

    async def _meaning(self, profiles: Profiles) -> Meaning | None:
        """None as long as a vector is missing; those that came are in the cache the next time."""
        found = await self._vectors([*REFERENCES, *profiles.texts])
        vectors = [vector for vector in found if vector is not None]
        if len(vectors) < len(found) or len({vector.shape for vector in vectors}) > 1:
            return None
        base = baseline(np.stack(vectors[: len(REFERENCES)]))
        matrix = np.stack(vectors[len(REFERENCES) :])
        profiles.meaning = await asyncio.to_thread(Meaning, profiles.layout, matrix, base)
        return profiles.meaning

    async def _add(self, meaning: Meaning, papers: Sequence[Paper]) -> None:
        wanted = {paper.versioned_id: paper for paper in papers if paper.versioned_id not in meaning}
        found = await self._vectors([text_of(paper.title, paper.abstract) for paper in wanted.values()])
        meaning.add({name: vector for name, vector in zip(wanted, found, strict=True) if vector is not None})

    async def _vectors(self, texts: Sequence[str]) -> list[Vector | None]:
        """The vector of each text, where it is to be had."""
        keys = [self._key(text) for text in texts]
        wanted = dict(zip(keys, texts, strict=True))
        known = await self._cached(list(wanted))
        self._texts.labels("cache").inc(len(known))
        missing = [key for key in wanted if key not in known]
        for start in range(0, len(missing), AT_ONCE):
            some = missing[start : start + AT_ONCE]
            made = await self._made(some, [wanted[key] for key in some])
            if not made:
                self._texts.labels("none").inc(len(missing) - start)
                break
            known |= made
        return [known.get(key) for key in keys]

    async def _made(self, keys: Sequence[str], texts: Sequence[str]) -> dict[str, Vector]:
        """From the model, and into the cache; nothing when it fails or rests."""
        if time.monotonic() < self._resting_until:
            return {}
        try:
            vectors = await self._endpoint.embed(texts)
        except EmbeddingFailed as error:
            self._failed(error)
            return {}
        self._texts.labels("model").inc(len(keys))
        made: dict[str, Vector] = dict(zip(keys, vectors, strict=True))
        await self._keep(made)
        return made

    def _failed(self, error: EmbeddingFailed) -> None:
        self._errors.labels(error.reason).inc()
        self._resting_until = time.monotonic() + max(self._rest, error.retry_after)
        log.warning("no embeddings, words decide alone", extra={"reason": error.reason, "detail": str(error)})

    # ---- the cache

    def _key(self, text: str) -> str:
        """Of a text for this model; a new version of a paper is another text."""
        return hashlib.sha256(f"{self._endpoint.model}\n{text}".encode()).hexdigest()

    async def _cached(self, keys: Sequence[str]) -> dict[str, Vector]:
        found: dict[str, Vector] = {}
        for start in range(0, len(keys), AT_ONCE):
            some = keys[start : start + AT_ONCE]
            vectors = await asyncio.gather(*map(self._stored, some))
            found |= {key: vector for key, vector in zip(some, vectors, strict=True) if vector is not None}
        return found

    async def _stored(self, key: str) -> Vector | None:
        try:
            value = (await (await self._bus.key_value(EMBEDDINGS_BUCKET)).get(key)).value or b""
        except (KeyNotFoundError, *AWAY):
            return None
        vector = np.frombuffer(value, np.float16) if len(value) % 2 == 0 else np.zeros(0, np.float16)
        return vector if len(vector) > 1 and np.isfinite(vector).all() else None

    async def _keep(self, made: dict[str, Vector]) -> None:
        try:
            kv = await self._bus.key_value(EMBEDDINGS_BUCKET)
            await asyncio.gather(*(kv.put(key, vector.tobytes()) for key, vector in made.items()))
        except AWAY as error:
            log.info("embeddings are not kept", extra={"detail": str(error) or type(error).__name__})
