"""The Kubernetes manifests: rendered as they would be applied, and judged by the strict schemas and ours."""

from __future__ import annotations

import pytest

from tests.manifests import (
    KUBERNETES,
    ROOT,
    WORKLOADS,
    Manifest,
    containers,
    label,
    of_kind,
    pod,
    problems,
    render,
)

OVERLAYS = ("dev", "production")
SERVICES = ("fetcher", "scorer", "summarizer", "publisher")
SECRET = {"DATABASE_URL", "LLM_API_KEY", "POSTGRES_PASSWORD"}  # the keys that docs/operations.md tells to create
GRACEFUL_SECONDS = 70  # what a service may take to finish what is in hand, and to drain
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


@pytest.fixture(params=OVERLAYS)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    """Everything that an overlay would apply."""
    return render(KUBERNETES / "overlays" / request.param)


def workloads(manifests: list[Manifest]) -> list[Manifest]:
    return of_kind(manifests, *WORKLOADS)


def test_every_manifest_is_accepted_by_the_strict_schemas(manifests: list[Manifest]) -> None:
    found = [problem for manifest in manifests for problem in problems(manifest)]

    assert found == []


def test_the_schemas_notice_a_misspelt_field(manifests: list[Manifest]) -> None:
    (scorer,) = (each for each in manifests if label(each) == "Deployment/scorer")
    misspelt = {**scorer, "spec": {**scorer["spec"], "replikas": 2}}

    assert "replikas" in " ".join(problems(misspelt))


def test_no_name_is_given_twice(manifests: list[Manifest]) -> None:
    names = [label(manifest) for manifest in manifests]

    assert len(names) == len(set(names))


def test_all_services_are_deployed(manifests: list[Manifest]) -> None:
    names = {manifest["metadata"]["name"] for manifest in of_kind(manifests, "Deployment")}

    assert names == set(SERVICES)


def test_a_workload_selects_its_own_pods(manifests: list[Manifest]) -> None:
    lost = []
    for workload in of_kind(manifests, "Deployment", "StatefulSet"):
        wanted = workload["spec"]["selector"]["matchLabels"].items()
        if not wanted <= workload["spec"]["template"]["metadata"]["labels"].items():
            lost.append(label(workload))

    assert lost == []


def test_services_and_budgets_select_exactly_one_workload(manifests: list[Manifest]) -> None:
    selected = {}
    for each in of_kind(manifests, "Service", "PodDisruptionBudget"):
        selector = each["spec"]["selector"].get("matchLabels", each["spec"]["selector"])
        labels = [workload["spec"]["template"]["metadata"]["labels"] for workload in workloads(manifests)]
        selected[label(each)] = sum(selector.items() <= found.items() for found in labels)

    assert set(selected.values()) == {1}, selected


def test_ports_are_named_by_what_containers_offer(manifests: list[Manifest]) -> None:
    offered = {
        tuple(workload["spec"]["selector"]["matchLabels"].items()): {
            port["name"] for each in containers(workload) for port in each.get("ports", [])
        }
        for workload in of_kind(manifests, "Deployment", "StatefulSet")
    }
    missing = [
        (label(service), port["targetPort"])
        for service in of_kind(manifests, "Service")
        for port in service["spec"]["ports"]
        if port["targetPort"] not in offered[tuple(service["spec"]["selector"].items())]
    ]

    assert missing == []


def test_probes_ask_named_ports_of_their_container(manifests: list[Manifest]) -> None:
    wrong = []
    for workload in workloads(manifests):
        for each in containers(workload):
            names = {port["name"] for port in each.get("ports", [])}
            asked = {port_of(each[kind]) for kind in PROBES if kind in each} - {None}
            if not asked <= names:
                wrong.append((label(workload), asked - names))

    assert wrong == []


def port_of(probe: Manifest) -> str | None:
    """The port that a probe asks; None for one that runs a command."""
    asked: Manifest = probe.get("httpGet") or probe.get("tcpSocket") or {}
    return asked.get("port")


def test_services_answer_readiness_and_liveness_on_their_own_paths(manifests: list[Manifest]) -> None:
    paths = {
        workload["metadata"]["name"]: tuple(each[kind]["httpGet"]["path"] for kind in PROBES)
        for workload in of_kind(manifests, "Deployment")
        for each in containers(workload)
    }

    assert paths == dict.fromkeys(SERVICES, ("/healthz", "/readyz", "/healthz"))


def test_every_pod_is_restricted(manifests: list[Manifest]) -> None:
    loose = [
        label(workload)
        for workload in workloads(manifests)
        if not (
            pod(workload)["securityContext"]["runAsNonRoot"] is True
            and pod(workload)["securityContext"]["runAsUser"] > 0
            and pod(workload)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            and pod(workload)["automountServiceAccountToken"] is False
            and pod(workload)["enableServiceLinks"] is False
            and not {"hostNetwork", "hostPID", "hostIPC"} & pod(workload).keys()
        )
    ]

    assert loose == []


def test_every_container_is_restricted(manifests: list[Manifest]) -> None:
    wanted = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    loose = [
        (label(workload), each["name"])
        for workload in workloads(manifests)
        for each in containers(workload)
        if each["securityContext"] != wanted or any("hostPort" in port for port in each.get("ports", []))
    ]

    assert loose == []


def test_only_harmless_kinds_of_volume_are_used(manifests: list[Manifest]) -> None:
    kinds = {
        kind
        for workload in workloads(manifests)
        for volume in pod(workload).get("volumes", [])
        for kind in volume.keys() - {"name"}
    }

    assert kinds <= {"configMap", "emptyDir", "secret", "projected", "persistentVolumeClaim"}


def test_the_namespace_enforces_the_restricted_standard(manifests: list[Manifest]) -> None:
    (namespace,) = of_kind(manifests, "Namespace")

    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_every_container_says_what_it_needs(manifests: list[Manifest]) -> None:
    silent = [
        each["name"]
        for workload in workloads(manifests)
        for each in containers(workload)
        if not {"cpu", "memory"} <= each["resources"]["requests"].keys() or "memory" not in each["resources"]["limits"]
    ]

    assert silent == []


def test_pods_have_time_to_finish_what_is_in_hand(manifests: list[Manifest]) -> None:
    short = [
        label(deployment)
        for deployment in of_kind(manifests, "Deployment")
        if pod(deployment)["terminationGracePeriodSeconds"] <= GRACEFUL_SECONDS
    ]

    assert short == []


def test_the_summaries_are_made_by_a_pool() -> None:
    (pool,) = (m for m in render(KUBERNETES / "base") if label(m) == "Deployment/summarizer")

    assert pool["spec"]["replicas"] >= 3


def test_service_accounts_that_pods_name_exist(manifests: list[Manifest]) -> None:
    named = {pod(workload)["serviceAccountName"] for workload in workloads(manifests)}

    assert named <= {each["metadata"]["name"] for each in of_kind(manifests, "ServiceAccount")}


def test_config_maps_that_pods_name_exist(manifests: list[Manifest]) -> None:
    named = set()
    for workload in workloads(manifests):
        named |= {volume["configMap"]["name"] for volume in pod(workload).get("volumes", []) if "configMap" in volume}
        for each in containers(workload):
            named |= {source["configMapRef"]["name"] for source in each.get("envFrom", [])}

    assert named == {each["metadata"]["name"] for each in of_kind(manifests, "ConfigMap")}


def test_the_only_secret_is_the_documented_one(manifests: list[Manifest]) -> None:
    named = {
        (variable["valueFrom"]["secretKeyRef"]["name"], variable["valueFrom"]["secretKeyRef"]["key"])
        for workload in workloads(manifests)
        for each in containers(workload)
        for variable in each.get("env", [])
        if "secretKeyRef" in variable.get("valueFrom", {})
    }
    documented = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

    assert of_kind(manifests, "Secret") == []
    assert named <= {("paperwire", key) for key in SECRET}
    assert [key for key in sorted(SECRET) if f"--from-literal={key}=" not in documented] == []


def test_volumes_that_containers_mount_exist(manifests: list[Manifest]) -> None:
    missing = []
    for workload in workloads(manifests):
        there = {volume["name"] for volume in pod(workload).get("volumes", [])}
        there |= {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])}
        for each in containers(workload):
            missing += [m["name"] for m in each.get("volumeMounts", []) if m["name"] not in there]

    assert missing == []
