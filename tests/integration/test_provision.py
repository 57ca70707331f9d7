"""The provisioner brings servers of any state to the one that the services need."""

from __future__ import annotations

import pytest
from nats.js.api import ConsumerConfig, StreamConfig

from cli.local.nats import Nats
from shared.provision import CONSUMERS, provision, streams
from tests.buses import a_connected_bus

pytestmark = pytest.mark.timeout(60)


async def test_a_changed_setting_arrives_at_what_is_there_already(nats_url: str) -> None:
    await provision(nats_url, ack_wait=7)
    async with a_connected_bus(nats_url) as bus:
        infos = [await bus.js.consumer_info(consumer.stream, name) for name, consumer in CONSUMERS.items()]
    assert {info.config.ack_wait for info in infos} == {7}


async def test_what_others_have_set_is_set_right(nats_server: Nats) -> None:
    async with a_connected_bus(nats_server.url) as bus:
        await bus.js.add_stream(StreamConfig(name="PAPERS", subjects=["papers.>", "strange"], max_age=60))
        await bus.js.add_consumer("PAPERS", ConsumerConfig(durable_name="scorer", filter_subject="strange"))
        await provision(nats_server.url)
        stream = (await bus.js.stream_info("PAPERS")).config
        consumer = (await bus.js.consumer_info("PAPERS", "scorer")).config
    wanted, *_ = streams(1)
    assert (stream.subjects, stream.max_age) == (wanted.subjects, wanted.max_age)
    assert (stream.allow_atomic, stream.duplicate_window) == (True, 2 * 24 * 3600)
    assert (consumer.filter_subject, consumer.max_deliver) == ("papers.announced", -1)


async def test_it_may_run_again_beside_running_services(nats_url: str) -> None:
    async with a_connected_bus(nats_url) as bus:
        before = (await bus.js.stream_info("PAPERS")).config
        await provision(nats_url)
        assert (await bus.js.stream_info("PAPERS")).config == before
