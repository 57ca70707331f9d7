"""The one place that creates streams, consumers and buckets: `python -m shared.provision`, as often as you like.

Services never create any of them: four services would fight over the configuration, and a changed setting
would silently never arrive.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import nats
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    KeyValueConfig,
    ObjectStoreConfig,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import BadRequestError, BucketNotFoundError, NotFoundError
from pydantic import Field

from shared.messages import (
    AnnouncementChecked,
    BatchClosed,
    FetchRequested,
    PaperAnnounced,
    PaperScored,
    PaperSelected,
    SummaryCompleted,
    SummaryRequested,
    TextRequested,
)
from shared.settings import ServiceSettings, read, stop

PAPERS = "PAPERS"
DEAD = "DEAD"
ORDERS = "ORDERS"
FETCHER_BUCKET = "FETCHER"
SELECTIONS_BUCKET = "SELECTIONS"
ANNOUNCEMENTS_BUCKET = "ANNOUNCEMENTS"
TEXTS_BUCKET = "TEXTS"
LIKED_BUCKET = "LIKED"
"""Of both kinds: papers by their ids, and libraries by their addresses."""
EMBEDDINGS_BUCKET = "EMBEDDINGS"
DAY = 24 * 3600.0
MAX_MESSAGE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Consumer:
    """A durable consumer: the stream it reads and the subject it takes."""

    stream: str
    subject: str


CONSUMERS = {
    "scorer": Consumer(PAPERS, PaperAnnounced.SUBJECT),
    "selector": Consumer(PAPERS, BatchClosed.SUBJECT),
    "summarizer": Consumer(PAPERS, SummaryRequested.SUBJECT),
    "publisher-scored": Consumer(PAPERS, PaperScored.SUBJECT),
    "publisher-selected": Consumer(PAPERS, PaperSelected.SUBJECT),
    "publisher-summaries": Consumer(PAPERS, SummaryCompleted.SUBJECT),
    "publisher-batches": Consumer(PAPERS, BatchClosed.SUBJECT),
    "publisher-checked": Consumer(PAPERS, AnnouncementChecked.SUBJECT),
    "publisher-dead": Consumer(DEAD, "dead.>"),
    "fetcher-orders": Consumer(ORDERS, FetchRequested.SUBJECT),
    "fetcher-texts": Consumer(PAPERS, TextRequested.SUBJECT),
}


def streams(replicas: int) -> tuple[StreamConfig, ...]:
    """Everything that happens, the orders given, and what was given up."""
    return (
        _stream_config(PAPERS, ["papers.>", "batches.>", "texts.>", "summaries.>"], days=14, replicas=replicas),
        _stream_config(ORDERS, ["fetch.>"], days=14, replicas=replicas),
        _stream_config(DEAD, ["dead.>"], days=90, replicas=replicas),
    )


def _stream_config(name: str, subjects: list[str], *, days: int, replicas: int) -> StreamConfig:
    """Limits retention keeps every message for replay, and only its deduplication survives a restart.

    `allow_atomic` lets a batch of messages share one fsync.
    """
    return StreamConfig(
        name=name,
        subjects=subjects,
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.OLD,
        max_age=days * DAY,
        duplicate_window=2 * DAY,
        # A dead letter is the message and why it was given up.
        max_msg_size=MAX_MESSAGE if name != DEAD else None,
        num_replicas=replicas,
        allow_direct=True,
        allow_atomic=True,
    )


async def provision(nats_url: str, *, replicas: int = 1, ack_wait: float = 30.0) -> None:
    """Create or update everything the services need. Idempotent; safe beside running services.

    `ack_wait` (seconds) is how long a killed service's messages wait for another replica; handlers that take
    longer send heartbeats.
    """
    connection = await nats.connect(nats_url, connect_timeout=5, max_reconnect_attempts=5)
    try:
        js = connection.jetstream(timeout=10)
        for stream in streams(replicas):
            await _stream(js, stream)
        for name, consumer in CONSUMERS.items():
            await js.add_consumer(consumer.stream, _consumer(name, consumer, ack_wait))
        await _buckets(js, replicas)
    finally:
        await connection.close()


async def _stream(js: JetStreamContext, config: StreamConfig) -> None:
    try:
        await js.add_stream(config)
    except BadRequestError:  # it exists with other settings
        await js.update_stream(config)


def _consumer(name: str, consumer: Consumer, ack_wait: float) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=name,
        filter_subject=consumer.subject,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ack_wait,
        # Giving up is the bus's decision: past max_deliver the server would drop the message without a word.
        max_deliver=-1,
        max_ack_pending=5_000,
    )


async def _buckets(js: JetStreamContext, replicas: int) -> None:
    for bucket, kept in (
        (FETCHER_BUCKET, None),
        (SELECTIONS_BUCKET, 14),
        (LIKED_BUCKET, None),
        (EMBEDDINGS_BUCKET, 14),
    ):
        try:
            await js.key_value(bucket)
        except (BucketNotFoundError, NotFoundError):
            ttl = kept * DAY if kept else None
            await js.create_key_value(KeyValueConfig(bucket=bucket, ttl=ttl, replicas=replicas))
    for bucket, days in ((ANNOUNCEMENTS_BUCKET, 14), (TEXTS_BUCKET, 7), (LIKED_BUCKET, 30)):
        try:
            await js.object_store(bucket)
        except (BucketNotFoundError, NotFoundError):
            await js.create_object_store(bucket, ObjectStoreConfig(ttl=days * DAY, replicas=replicas))


class Settings(ServiceSettings):
    """What the provisioner reads."""

    nats_replicas: int = Field(default=1, ge=1, le=5, description="copies of every message, 1 to 5")
    ack_wait: float = Field(default=30.0, gt=0, description="seconds until a killed service's work is redelivered")


def main() -> None:
    settings = read(Settings)
    try:
        asyncio.run(provision(settings.nats_url, replicas=settings.nats_replicas, ack_wait=settings.ack_wait))
    except (TimeoutError, OSError, nats.errors.Error) as error:
        stop(
            [f"NATS_URL: that server cannot be provisioned: {error or type(error).__name__}"]
        )  # it may hold a password


if __name__ == "__main__":
    main()
