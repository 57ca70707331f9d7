"""Rendered Kubernetes manifests and the strict schemas that judge them, with no cluster and no network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry

Manifest = dict[str, Any]

ROOT = Path(__file__).resolve().parents[1]
KUBERNETES = ROOT / "deploy" / "k8s"
RELEASE = "1.32.0"  # the oldest release that the manifests promise to run on
WORKLOADS = ("Deployment", "StatefulSet", "Job")


def need(reason: str) -> NoReturn:
    """Skip for what a laptop may lack; continuous integration has to have it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def renderer() -> list[str]:
    """The command that renders a kustomization."""
    if kustomize := shutil.which("kustomize"):
        return [kustomize, "build"]
    if kubectl := shutil.which("kubectl"):
        return [kubectl, "kustomize"]
    need("neither kustomize nor kubectl (1.22 or later) is installed: manifests cannot be rendered")


@cache
def render(folder: Path) -> list[Manifest]:
    """All manifests of a kustomization."""
    done = subprocess.run([*renderer(), str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


@cache
def definitions() -> Registry[Any]:
    """What the kinds' schemas refer to."""
    contents = _schema("_definitions")
    return Registry[Any]().with_contents([(contents["$id"], contents)])


def _schema(name: str) -> dict[str, Any]:
    folder = f"kubernetes-json-schema/v{RELEASE}-local-strict"
    file = resources.files("kubernetes_validate") / folder / f"{name}.json"
    schema: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return schema


@cache
def validator(api_version: str, kind: str) -> Draft202012Validator:
    """Judges manifests of one built-in kind; a field that it does not know is an error."""
    group, _, version = api_version.rpartition("/")
    parts = [kind.lower(), *([group.split(".")[0]] if group else []), version]
    return Draft202012Validator(_schema("-".join(parts)), registry=definitions())


def problems(manifest: Manifest) -> list[str]:
    """What the API server would refuse."""
    try:
        judge = validator(manifest["apiVersion"], manifest["kind"])
    except FileNotFoundError:
        return [f"{label(manifest)}: no such kind in {manifest['apiVersion']}"]
    return [f"{label(manifest)}: {error.json_path}: {error.message[:200]}" for error in judge.iter_errors(manifest)]


def label(manifest: Manifest) -> str:
    """`Deployment/scorer`."""
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    """Those of these kinds."""
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def pod(workload: Manifest) -> Manifest:
    """The pod template's spec."""
    spec: Manifest = workload["spec"]["template"]["spec"]
    return spec


def containers(workload: Manifest) -> Iterator[Manifest]:
    """Every container, those that run first too."""
    yield from pod(workload).get("initContainers", [])
    yield from pod(workload)["containers"]


def config_map(manifests: list[Manifest], prefix: str) -> Manifest:
    """The generated ConfigMap of this name, with or without a hash of its content."""
    (found,) = (m for m in of_kind(manifests, "ConfigMap") if f"{m['metadata']['name']}-".startswith(f"{prefix}-"))
    return found
