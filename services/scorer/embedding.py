"""The model that turns texts into vectors: one request to an OpenAI-compatible endpoint, vectors or a reason."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from openai import AsyncOpenAI

Reason = Literal["timeout", "connection", "rate limited", "refused", "unusable answer"]
REASONS: tuple[Reason, ...] = ("timeout", "connection", "rate limited", "refused", "unusable answer")
Vectors = NDArray[np.float16]
LARGEST_BODY = 16 * 1024 * 1024
MOST_DIMENSIONS = 8192
LONGEST_REST = 3_600.0


class EmbeddingFailed(Exception):  # noqa: N818 - an answer, not an accident
    """There are no vectors now; papers are compared by their words alone."""

    def __init__(self, reason: Reason, detail: str, retry_after: float = 0.0) -> None:
        super().__init__(detail)
        self.reason = reason
        self.retry_after = retry_after
        """Seconds for which the server wants to be left alone."""


class Endpoint:
    """Where the model is. Open it (`async with`) first."""

    def __init__(self, base_url: str, api_key: str, model: str, *, timeout: float = 10.0) -> None:
        self.model = model
        self._base_url = base_url
        self._api_key = api_key
        self._timeout = timeout
        self._client: AsyncOpenAI | None = None

    async def __aenter__(self) -> Self:
        from openai import AsyncOpenAI, DefaultAsyncHttpx2Client

        self._client = AsyncOpenAI(
            api_key=self._api_key,
            base_url=self._base_url,
            max_retries=0,
            timeout=self._timeout,
            http_client=DefaultAsyncHttpx2Client(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.close()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """A vector of length 1 for each text; shape (texts, dimensions). `EmbeddingFailed` says why there is none."""
        import httpx2
        import openai

        try:
            async with asyncio.timeout(self._timeout):
                body = await self._exchange(texts)
        except openai.APIStatusError as error:
            raise _refused(error) from error
        except (TimeoutError, openai.APITimeoutError, httpx2.TimeoutException) as error:
            raise EmbeddingFailed("timeout", f"no complete answer in {self._timeout:g} s") from error
        except (openai.APIError, httpx2.HTTPError) as error:
            raise EmbeddingFailed("connection", f"{type(error).__name__} {error.__cause__ or ''}") from error
        try:
            return read(body, len(texts))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise EmbeddingFailed("unusable answer", f"{type(error).__name__}: {error}"[:200]) from error

    async def _exchange(self, texts: Sequence[str]) -> bytes:
        assert self._client is not None, "open the endpoint first: async with Endpoint(...)"
        body = bytearray()
        create = self._client.embeddings.with_streaming_response.create
        async with create(model=self.model, input=list(texts), encoding_format="float") as response:
            async for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LARGEST_BODY:
                    raise EmbeddingFailed("unusable answer", f"the answer is longer than {LARGEST_BODY} bytes")
        return bytes(body)


def read(body: bytes, count: int) -> Vectors:
    """The vectors of an answer, in the order of the request, as unit vectors; `ValueError` when it is not usable."""
    data = json.loads(body)["data"]
    if len(data) != count:
        raise ValueError(f"{len(data)} vectors for {count} texts")
    rows = sorted(data, key=lambda item: int(item["index"]))
    if [item["index"] for item in rows] != list(range(count)):
        raise ValueError("the vectors are not numbered as the texts are")
    found = np.array([item["embedding"] for item in rows], np.float64)  # of different lengths: ValueError
    if found.ndim != 2 or not 2 <= found.shape[1] <= MOST_DIMENSIONS or not np.isfinite(found).all():
        raise ValueError(f"no vectors of 2 to {MOST_DIMENSIONS} numbers")
    lengths = np.sqrt((found * found).sum(axis=1, keepdims=True))
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        raise ValueError("a vector without a length")
    return np.asarray(found / lengths, np.float16)


def _refused(error: Any) -> EmbeddingFailed:
    status = int(error.status_code)
    reason: Reason = "rate limited" if status == 429 else "connection" if status >= 500 else "refused"
    told = str(error.response.headers.get("retry-after", ""))
    wait = float(told) if told.isascii() and told.isdigit() else 0.0
    return EmbeddingFailed(reason, f"HTTP {status}", min(wait, LONGEST_REST))
