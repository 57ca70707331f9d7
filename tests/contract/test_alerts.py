"""Alert rules, their runbooks and the dashboard: right in themselves, without a running system."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
import yaml

from deploy.grafana import dashboard
from tests.manifests import ROOT, need


@pytest.mark.parametrize(
    "command",
    [
        "check config prometheus.yml",
        "check rules --lint=all --lint-fatal rules.yml",
        "test rules rules.test.yml",
    ],
)
def test_the_alert_rules_are_right_and_do_what_they_promise(command: str) -> None:
    promtool = shutil.which("promtool") or need("promtool is not installed (Debian: prometheus)")
    folder = ROOT / "deploy" / "prometheus"
    done = subprocess.run([promtool, *command.split()], cwd=folder, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_runbook_that_exists() -> None:
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules.yml").read_text(encoding="utf-8"))
    document = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]

    assert [
        rule["alert"]
        for rule in alerts
        if rule["annotations"].keys() != {"summary", "description", "runbook_url"}
        or rule["annotations"]["runbook_url"] != f"docs/operations.md#{rule['alert'].lower()}"
        or f"### {rule['alert']}\n" not in document
    ] == []


def test_the_dashboard_file_is_what_its_code_makes() -> None:
    assert dashboard.FILE.read_text(encoding="utf-8") == dashboard.render(), "run python -m deploy.grafana.dashboard"


def test_every_panel_has_a_title_a_description_and_the_chosen_data_source() -> None:
    panels = [panel for panel in json.loads(dashboard.render())["panels"] if panel["type"] != "row"]

    assert [
        panel
        for panel in panels
        if not (panel["title"] and panel["description"] and panel["datasource"]["uid"] == "${datasource}")
    ] == []


def test_no_panel_lies_on_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(dashboard.render())["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= dashboard.WIDTH
        taken |= cells
