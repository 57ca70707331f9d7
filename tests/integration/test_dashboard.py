"""The dashboard's questions, put to a real Prometheus that scrapes the running demo."""

from __future__ import annotations

import json
import re
import shutil
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli import web
from cli.local.ports import LOOPBACK, Port
from cli.local.processes import Process
from tests.manifests import ROOT, need
from tests.waiting import eventually_sync

SERVICES = ("fetcher", "scorer", "summarizer", "publisher")
RULES = ROOT / "deploy" / "prometheus"
DASHBOARD = ROOT / "deploy" / "grafana" / "paperwire.json"
BATCH_SECONDS = 90
SCRAPE_SECONDS = 30


def questions() -> dict[str, str]:
    """Every query of the dashboard by its panel's title, as Grafana would send it."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return {
        panel["title"]: target["expr"].replace("$__rate_interval", "20s")
        for panel in panels
        for target in panel.get("targets", [])
    }


class Prometheus:
    """A server that scrapes every second, with our configuration but for the addresses."""

    def __init__(self, folder: Path, targets: list[str]) -> None:
        program = shutil.which("prometheus") or need("prometheus is not installed (Debian: prometheus)")
        config = yaml.safe_load((RULES / "prometheus.yml").read_text(encoding="utf-8"))
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["rule_files"] = [str(RULES / name) for name in config["rule_files"]]
        config["scrape_configs"][0]["static_configs"] = [{"targets": targets}]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        self._port = Port()
        self.url = f"http://{LOOPBACK}:{self._port.number}"
        command = [
            program,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={LOOPBACK}:{self._port.number}",
        ]
        self.process = Process("prometheus", command, folder / "prometheus.log")

    def close(self) -> None:
        self.process.stop()
        self._port.close()

    def ask(self, path: str, **parameters: str) -> Any:
        """The data of an answer; nothing while the server is not up."""
        try:
            answer = web.get_json(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        except OSError:
            assert self.process.running, self.process.tail()
            return {}
        assert answer["status"] == "success", answer
        return answer["data"]

    def series(self, question: str) -> dict[str, float]:
        """The values of a query, by the values of their labels."""
        result = self.ask("query", query=question).get("result", [])
        return {"/".join(sorted(each["metric"].values())): float(each["value"][1]) for each in result}


def probe_port(log: Path) -> int:
    """Where a service of the demo serves its metrics, from its log; 0 before it has started."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    started = [line for line in map(json.loads, lines) if line["event"] == "started"]
    return int(started[-1]["probe_port"]) if started else 0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of a demo that runs."""
    if not shutil.which("prometheus"):
        need("prometheus is not installed (Debian: prometheus)")
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "cli.main", "demo", "--data", str(folder / "data")]
    process = Process("demo", command, folder / "demo.log", grace=30, folder=ROOT)
    process.start()
    try:
        process.wait_until(lambda: "Serving until" in process.tail(), BATCH_SECONDS)
        yield folder / "data"
    finally:
        process.stop()


@pytest.fixture(scope="module")
def prometheus(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A server that has scraped every service of the demo at least three times."""
    targets = [f"{LOOPBACK}:{probe_port(demo / 'logs' / f'{name}.log')}" for name in SERVICES]
    server = Prometheus(tmp_path_factory.mktemp("prometheus"), targets)
    server.process.start()
    try:
        eventually_sync(
            lambda: len(server.series("count_over_time(up[1m]) >= 3")) == len(SERVICES),
            timeout=SCRAPE_SECONDS,
            message="Prometheus did not scrape all services",
        )
        yield server
    finally:
        server.close()


def test_every_panel_of_the_dashboard_has_data_while_the_demo_runs(prometheus: Prometheus) -> None:
    empty = {title for title, question in questions().items() if not prometheus.series(question)}

    assert empty == set()


def test_the_dashboard_says_that_the_feed_is_out_and_complete(prometheus: Prometheus) -> None:
    asked = questions()
    batch = prometheus.series(asked["Newest announcement, papers by stage"])

    assert prometheus.series(asked["Incomplete announcements"]) == {"": 0.0}
    assert prometheus.series(asked["Entries waiting"]) == {"": 0.0}
    assert prometheus.series(asked["Dead letters, 24 h"]) == {"": 0.0}
    assert prometheus.series(asked["Services not ready"]) == {"": 0.0}
    assert prometheus.series(asked["Ready replicas"]) == dict.fromkeys(SERVICES, 1.0)
    assert batch["announced"] == batch["scored"] > 0
    assert batch["selected"] == batch["published"] > 0


@pytest.mark.parametrize("file", ["deploy/prometheus/rules.yml", "docs/operations.md"])
def test_metrics_that_are_written_about_exist(prometheus: Prometheus, file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    # The demo has neither a source beside arXiv nor a model for embeddings, so those series are not there.
    others = ("paperwire_source_", "paperwire_embedding")
    named = {name for name in re.findall(r"\bpaperwire_\w+", text) if not name.startswith(others)}
    existing = set(prometheus.ask("label/__name__/values"))

    assert {name for name in named if not {name, f"{name}_bucket"} & existing} == set()


def test_every_alert_rule_is_evaluated_and_nothing_but_the_old_announcement_is_wrong(
    prometheus: Prometheus,
) -> None:
    def evaluated() -> list[dict[str, Any]]:
        rules = [rule for group in prometheus.ask("rules").get("groups", []) for rule in group["rules"]]
        assert all(rule["health"] == "ok" for rule in rules), rules
        return rules

    rules = eventually_sync(evaluated, timeout=SCRAPE_SECONDS)

    assert {rule["name"] for rule in rules if rule["state"] != "inactive"} <= {"PaperwireFeedLate"}
