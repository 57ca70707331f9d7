"""The published contracts say what really travels."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest
import yaml
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from cli.events import asyncapi, message_schemas, yaml_lines
from shared.envelope import headers
from shared.messages import MESSAGES
from tests.builders import an_announcement

ADDRESSES = [
    "papers.announced",
    "batches.closed",
    "papers.scored",
    "papers.selected",
    "summaries.requested",
    "summaries.completed",
    "papers.published",
    "texts.requested",
    "fetch.requested",
    "fetch.progressed",
    "batches.checked",
    "dead.{subject}",
]


def resolve(document: dict[str, Any], reference: str) -> Any:
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for item in value.values() for found in references(item)]
    return [found for item in value for found in references(item)] if isinstance(value, list) else []


def validate(document: dict[str, Any], name: str, value: Any) -> None:
    registry: Registry[Any] = Registry().with_resource("urn:api", DRAFT202012.create_resource(document))
    schema = {"$ref": f"urn:api#/components/schemas/{name}"}
    jsonschema.Draft202012Validator(schema, registry=registry).validate(value)


def test_the_document_has_a_channel_for_every_subject() -> None:
    document = asyncapi()

    assert document["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= document["info"].keys()
    assert [channel["address"] for channel in document["channels"].values()] == ADDRESSES


def test_every_reference_of_the_document_leads_somewhere() -> None:
    document = asyncapi()

    assert all(resolve(document, reference) for reference in references(document))
    operations = document["operations"].values()
    assert {operation["action"] for operation in operations} == {"receive"}
    assert all(operation["messages"] for operation in operations)


def test_a_real_message_and_its_headers_keep_to_the_document() -> None:
    event = an_announcement()
    sent = headers(event, service="fetcher", now=datetime(2025, 12, 10, tzinfo=UTC), traceparent="00-1-2-01")

    validate(asyncapi(), "PaperAnnounced", event.model_dump(mode="json"))
    validate(asyncapi(), "Headers", sent)
    assert sent.keys() == asyncapi()["components"]["schemas"]["Headers"]["properties"].keys()


def test_a_message_without_its_paper_breaks_the_contract() -> None:
    with pytest.raises(jsonschema.ValidationError, match="'paper' is a required property"):
        validate(asyncapi(), "PaperAnnounced", {"batch": "arxiv:2025-12-10"})


def test_yaml_and_json_say_the_same() -> None:
    assert yaml.safe_load("\n".join(yaml_lines(asyncapi()))) == asyncapi()


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.SUBJECT)
def test_every_message_has_a_valid_schema_under_its_subject(message: type[Any]) -> None:
    schema = message_schemas()[message.SUBJECT]

    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"] == message.__name__
