"""Asking the server about what a service needs: whether it is there, and how far behind its consumers are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable

from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo, StreamInfo
from nats.js.errors import NotFoundError

from shared.connection import API_SECONDS
from shared.metrics import Metrics
from shared.provision import CONSUMERS


async def consumer_info(js: JetStreamContext, durable: str) -> ConsumerInfo | None:
    """What the server knows of a consumer; None when there is none."""
    try:
        info: ConsumerInfo = await js.consumer_info(CONSUMERS[durable].stream, durable, timeout=API_SECONDS)
        return info
    except NotFoundError:
        return None


async def missing(js: JetStreamContext, durables: Iterable[str], streams: Iterable[str]) -> list[str]:
    """Those of the consumers and streams that are not there."""
    asked: dict[str, Awaitable[ConsumerInfo | StreamInfo | None]] = {
        f"consumer {name}": consumer_info(js, name) for name in sorted(durables)
    }
    asked |= {f"stream {name}": _stream_info(js, name) for name in sorted(streams)}
    infos = await asyncio.gather(*asked.values())
    return [name for name, info in zip(asked, infos, strict=True) if info is None]


async def _stream_info(js: JetStreamContext, name: str) -> StreamInfo | None:
    try:
        return await js.stream_info(name)
    except NotFoundError:
        return None


async def measure(js: JetStreamContext, durables: Iterable[str], metrics: Metrics) -> None:
    """Bring the lag gauges up to date."""
    for durable in durables:
        if (info := await consumer_info(js, durable)) is not None:
            metrics.pending.labels(durable).set(info.num_pending or 0)
            metrics.ack_pending.labels(durable).set(info.num_ack_pending or 0)
