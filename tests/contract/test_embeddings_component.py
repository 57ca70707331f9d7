"""The component that lets scorers ask for embeddings, on top of an overlay, as an operator adds it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.scorer.settings import Settings
from tests.manifests import KUBERNETES, WORKLOADS, Manifest, config_map, containers, of_kind, problems, render

KEYS = {"EMBEDDING_API_KEY", "LLM_API_KEY"}
KUSTOMIZATION = """
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: paperwire
resources: [{root}/overlays/production]
components: [{root}/components/embeddings]
configMapGenerator:
  - name: paperwire
    behavior: merge
    literals: [EMBEDDING_MODEL=a-model, EMBEDDING_BASE_URL=http://models:8000/v1]
"""


@pytest.fixture
def manifests(tmp_path: Path) -> list[Manifest]:
    """Everything that would be applied."""
    root = os.path.relpath(KUBERNETES, tmp_path.resolve())
    (tmp_path / "kustomization.yaml").write_text(KUSTOMIZATION.format(root=root), encoding="utf-8")
    return render(tmp_path.resolve())


def of_scorer(manifests: list[Manifest], kind: str) -> Manifest:
    names = ("scorer", "scorer-embeddings")
    (found,) = (each for each in of_kind(manifests, kind) if each["metadata"]["name"] in names)
    return found


def environment(manifests: list[Manifest]) -> dict[str, Manifest]:
    """What the scorer's container is told by itself, beside the settings that all share."""
    (container,) = containers(of_scorer(manifests, "Deployment"))
    return {variable["name"]: variable["valueFrom"]["secretKeyRef"] for variable in container["env"]}


def test_every_manifest_is_accepted_by_the_strict_schemas(manifests: list[Manifest]) -> None:
    assert [problem for manifest in manifests for problem in problems(manifest)] == []


def test_the_scorer_gets_the_keys_from_the_secret_and_does_without_them(manifests: list[Manifest]) -> None:
    assert environment(manifests) == {
        name: {"name": "paperwire", "key": name, "optional": True} for name in sorted(KEYS)
    }


def test_the_settings_of_the_component_are_settings_of_the_scorer(manifests: list[Manifest]) -> None:
    told = {name: value for name, value in config_map(manifests, "paperwire")["data"].items() if value}
    known = {name: value for name, value in told.items() if name.lower() in Settings.model_fields}

    settings = Settings.model_validate({name.lower(): value for name, value in known.items()})

    assert environment(manifests).keys() <= {name.upper() for name in Settings.model_fields}
    assert settings.embedding_endpoint[0] == "http://models:8000/v1"


def test_the_way_out_is_opened_and_nothing_else_is_closed(manifests: list[Manifest]) -> None:
    """A rule that lists less would keep the scorer from NATS where no other policy allows it."""
    policy = of_scorer(manifests, "NetworkPolicy")
    pods = of_scorer(manifests, "Deployment")["spec"]["template"]["metadata"]["labels"]

    assert policy["spec"]["podSelector"]["matchLabels"].items() <= pods.items()
    assert policy["spec"]["policyTypes"] == ["Egress"]
    assert policy["spec"]["egress"] == [{}]
    assert policy["metadata"]["namespace"] == "paperwire"


def test_the_key_goes_to_nobody_but_the_scorer(manifests: list[Manifest]) -> None:
    told = {
        workload["metadata"]["name"]
        for workload in of_kind(manifests, *WORKLOADS)
        for each in containers(workload)
        if "EMBEDDING_API_KEY" in {variable["name"] for variable in each.get("env", [])}
    }

    assert told == {"scorer"}
