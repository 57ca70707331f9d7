"""What the services are told where they are deployed, held against what they read: Kubernetes, compose, the docs."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.feeds import load
from shared.provision import Settings as ProvisionSettings
from shared.settings import ServiceSettings
from tests.manifests import KUBERNETES, ROOT, WORKLOADS, Manifest, config_map, containers, of_kind, render
from tools import settings_table

OVERLAYS = ("dev", "production")
SERVICES = ("fetcher", "scorer", "summarizer", "publisher")
THIRD_PARTY = ("nats", "postgres")


@pytest.fixture(params=OVERLAYS)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    """Everything that an overlay would apply."""
    return render(KUBERNETES / "overlays" / request.param)


def settings_of(name: str) -> type[ServiceSettings]:
    """The settings class of a container, by the container's name."""
    if name == "provision":
        return ProvisionSettings
    module = import_module(f"services.{'publisher' if name == 'migrate' else name}.settings")
    found: type[ServiceSettings] = module.MigrateSettings if name == "migrate" else module.Settings
    return found


def variables(settings: type[ServiceSettings]) -> set[str]:
    """What it can be told by the environment."""
    return {name.upper() for name in settings.model_fields}


def own_containers(manifests: list[Manifest]) -> Iterator[Manifest]:
    """The containers that run our code."""
    for workload in of_kind(manifests, *WORKLOADS):
        yield from (each for each in containers(workload) if each["name"] not in THIRD_PARTY)


def test_variables_of_a_container_are_settings_of_its_service(manifests: list[Manifest]) -> None:
    unknown = [
        (each["name"], variable["name"])
        for each in own_containers(manifests)
        for variable in each.get("env", [])
        if variable["name"] not in variables(settings_of(each["name"]))
    ]

    assert unknown == []


def test_settings_that_all_share_are_settings_of_at_least_one_service(manifests: list[Manifest]) -> None:
    known = set().union(*(variables(settings_of(name)) for name in (*SERVICES, "provision", "migrate")))

    assert config_map(manifests, "paperwire")["data"].keys() <= known


def test_a_container_is_told_all_that_its_service_requires(manifests: list[Manifest]) -> None:
    shared = config_map(manifests, "paperwire")["data"].keys()
    missing = []
    for each in own_containers(manifests):
        told = shared | {variable["name"] for variable in each.get("env", [])}
        fields = settings_of(each["name"]).model_fields.items()
        missing += [(each["name"], name) for name, field in fields if field.is_required() and name.upper() not in told]

    assert missing == []


def test_the_feeds_are_mounted_where_the_setting_says(manifests: list[Manifest]) -> None:
    path = Path(config_map(manifests, "paperwire")["data"]["FEEDS_FILE"])
    readers = {
        each["name"]: {mount["mountPath"] for mount in each["volumeMounts"]}
        for each in own_containers(manifests)
        if "feeds_file" in settings_of(each["name"]).model_fields
    }

    assert [name for name, mounts in readers.items() if str(path.parent) not in mounts] == []
    assert path.name in config_map(manifests, "feeds")["data"]


def test_changed_feeds_reach_the_running_pods(manifests: list[Manifest]) -> None:
    """A name with a hash would roll them, and a file that is mounted by itself never changes."""
    all_mounts = (mount for each in own_containers(manifests) for mount in each.get("volumeMounts", []))
    mounts = [mount for mount in all_mounts if mount["name"] == "feeds"]

    assert config_map(manifests, "feeds")["metadata"]["name"] == "feeds"
    assert [mount for mount in mounts if "subPath" in mount] == []
    assert len(mounts) == 3


def test_the_feeds_that_are_shipped_are_valid() -> None:
    feeds = load(KUBERNETES / "base" / "feeds.toml").feeds

    assert [feed.slug for feed in feeds] == ["efficient-llm", "agents"]


def compose() -> dict[str, Any]:
    """The services of compose.yaml."""
    services: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    return services


def test_compose_tells_every_service_what_it_requires_and_nothing_else() -> None:
    wrong = {}
    for name in SERVICES:
        told = compose()[name]["environment"].keys()
        fields = settings_of(name).model_fields.items()
        required = {field_name.upper() for field_name, field in fields if field.is_required()}
        wrong[name] = (required - told) | (told - variables(settings_of(name)))

    assert wrong == {name: set() for name in SERVICES}


def test_compose_mounts_files_that_exist() -> None:
    sources = {volume.split(":")[0] for each in compose().values() for volume in each.get("volumes", [])}

    assert [path for path in sorted(sources) if path.startswith("./") and not (ROOT / path).exists()] == []


def test_the_documented_settings_are_those_of_the_code() -> None:
    document = settings_table.FILE.read_text(encoding="utf-8")

    assert document == settings_table.replaced(document), "run python -m tools.settings_table"


def test_images_have_the_version_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    images = {
        each["image"] for workload in of_kind(render(KUBERNETES / "base"), *WORKLOADS) for each in containers(workload)
    }

    assert images == {f"paperwire-{name}:{version}" for name in SERVICES}
    assert f"\nARG VERSION={version}\n" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
