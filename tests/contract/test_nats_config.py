"""NATS as it is deployed: the server takes its configuration, and three nodes form one cluster."""

from __future__ import annotations

import subprocess

import pytest

from cli.local.nats import binary
from tests.manifests import KUBERNETES, config_map, of_kind, pod, render


@pytest.mark.parametrize("component", ["nats", "nats-cluster"])
def test_nats_takes_its_configuration(component: str) -> None:
    server = str(binary())
    config = KUBERNETES / "components" / component / "nats.conf"
    done = subprocess.run(
        [server, "-t", "-c", str(config)], env={"POD_NAME": "nats-0"}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "sync_interval: always" in config.read_text(encoding="utf-8")


def test_three_nats_nodes_know_each_other_and_the_streams_have_three_copies() -> None:
    manifests = render(KUBERNETES / "overlays" / "production")
    (nats,) = of_kind(manifests, "StatefulSet")
    config = config_map(manifests, "nats-config")["data"]["nats.conf"]

    assert nats["spec"]["replicas"] == 3
    assert [f"nats://nats-{n}.{nats['spec']['serviceName']}:6222" in config for n in range(3)] == [True] * 3
    assert config_map(manifests, "paperwire")["data"]["NATS_REPLICAS"] == "3"


def test_nats_may_take_longer_to_hand_over_than_lame_duck_mode() -> None:
    (nats,) = of_kind(render(KUBERNETES / "overlays" / "production"), "StatefulSet")

    assert pod(nats)["terminationGracePeriodSeconds"] > 10 + 30
