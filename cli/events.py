"""`paperwire events`: the public contract of the messages, as JSON Schema and as an AsyncAPI document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.local.processes import LocalError

events_app = typer.Typer(help="The messages that travel on NATS, as machine-readable contracts.", no_args_is_help=True)

ASYNCAPI = "3.0.0"
SCHEMAS = "#/components/schemas/"
DEAD = "DeadLetter"
HEADERS = {
    "Nats-Msg-Id": "The message's identity: the same id is the same message. Equal to ce-id.",
    "ce-specversion": "The version of CloudEvents.",
    "ce-id": "The message's identity.",
    "ce-source": "The service that published it: /paperwire/scorer.",
    "ce-type": "org.paperwire. and the subject.",
    "ce-subject": "The paper with its version, or the batch, that the message is about.",
    "ce-time": "When it was published.",
    "content-type": "application/json",
    "traceparent": "The W3C trace that it belongs to.",
}
WHY = {
    "Dead-Reason": "Why it was given up.",
    "Dead-Attempts": "How often it was delivered.",
    "Dead-Consumer": "The consumer that gave it up.",
}


class Format(StrEnum):
    """How a document is written."""

    json = "json"
    yaml = "yaml"


@events_app.command()
def schema(
    subject: Annotated[str | None, typer.Argument(help="For example papers.published; all without it.")] = None,
) -> None:
    """Print the JSON Schema of one message, or of all messages by subject."""
    schemas = message_schemas()
    if subject is not None and subject not in schemas:
        raise LocalError(f"no message travels on {subject!r}; there are {', '.join(schemas)}")
    typer.echo(json.dumps(schemas if subject is None else schemas[subject], indent=2, ensure_ascii=False))


@events_app.command("asyncapi")
def print_asyncapi(
    form: Annotated[Format, typer.Option("--format", "-f", help="How to write it.")] = Format.yaml,
) -> None:
    """Print the AsyncAPI 3.0 document of all subjects. Needs no server."""
    document = asyncapi()
    if form is Format.json:
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join(yaml_lines(document)))


def message_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of every message, by subject."""
    from shared.messages import MESSAGES

    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {message.SUBJECT: dialect | message.model_json_schema(mode="serialization") for message in MESSAGES}


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI document: one channel per subject, its message, the headers that all of them have."""
    from importlib.metadata import version

    from shared.messages import MESSAGES

    names = {message.SUBJECT: message.__name__ for message in MESSAGES}
    return {
        "asyncapi": ASYNCAPI,
        "info": {
            "title": "Paperwire",
            "version": version("paperwire"),
            "description": "CloudEvents 1.0 in binary mode on NATS JetStream. Messages only ever grow: "
            "ignore fields that you do not know.",
        },
        "defaultContentType": "application/json",
        "channels": {name: channel(subject, name) for subject, name in names.items()} | {DEAD: dead_channel()},
        "operations": {
            f"read{name}": operation(subject, name) for subject, name in (names | {"what was given up": DEAD}).items()
        },
        "components": components(),
    }


def channel(subject: str, name: str) -> dict[str, Any]:
    """A subject and its message."""
    return {"address": subject, "messages": {name: {"$ref": f"#/components/messages/{name}"}}}


def stream_of(subject: str) -> str:
    """The stream that holds the subject."""
    return {"dead": "DEAD", "fetch": "ORDERS"}.get(subject.partition(".")[0], "PAPERS")


def dead_channel() -> dict[str, Any]:
    """What was given up, on the subject it had."""
    subject = {"description": "The subject on which the message was published."}
    return channel("dead.{subject}", DEAD) | {"parameters": {"subject": subject}}


def operation(subject: str, name: str) -> dict[str, Any]:
    """What an application outside does with the subject: it reads."""
    stream = "DEAD" if name == DEAD else stream_of(subject)
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": f"Read {subject} with a consumer of your own on the stream {stream}.",
        "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
    }


def components() -> dict[str, Any]:
    """Messages, their payloads, and the values that payloads share."""
    from pydantic.json_schema import models_json_schema

    from shared.messages import MESSAGES

    _, shared_schemas = models_json_schema(
        [(message, "serialization") for message in MESSAGES], ref_template=SCHEMAS + "{model}"
    )
    messages = {
        message.__name__: {
            "name": f"org.paperwire.{message.SUBJECT}",
            "title": message.__name__,
            "summary": (message.__doc__ or "").partition("\n")[0],
            "contentType": "application/json",
            "headers": {"$ref": SCHEMAS + "Headers"},
            "payload": {"$ref": SCHEMAS + message.__name__},
        }
        for message in MESSAGES
    }
    messages[DEAD] = {
        "name": DEAD,
        "title": "Dead letter",
        "summary": "A message that was given up: its own body and headers, and why.",
        "headers": {"$ref": SCHEMAS + "DeadHeaders"},
        "payload": {"description": "The body as it was, also one that cannot be read."},
    }
    headers = {"Headers": header_schema(HEADERS, [*HEADERS]), "DeadHeaders": header_schema(HEADERS | WHY, [*WHY])}
    return {"messages": messages, "schemas": shared_schemas["$defs"] | headers}


def header_schema(described: dict[str, str], required: list[str]) -> dict[str, Any]:
    """Headers are text."""
    properties: dict[str, dict[str, str]] = {
        name: {"type": "string", "description": text} for name, text in described.items()
    }
    properties["ce-specversion"] |= {"const": "1.0"}
    properties["ce-time"] |= {"format": "date-time"}
    return {"type": "object", "required": required, "properties": properties}


def yaml_lines(value: Any, indent: str = "") -> Iterator[str]:
    """Block-style YAML whose scalars are JSON, which YAML contains."""
    items: list[tuple[str, Any]]
    if isinstance(value, dict):
        items = [(f"{json.dumps(key, ensure_ascii=False)}:", item) for key, item in value.items()]
    else:
        items = [("-", item) for item in value]
    for label, item in items:
        if isinstance(item, dict | list) and item:
            yield indent + label
            yield from yaml_lines(item, indent + "  ")
        else:
            yield f"{indent}{label} {json.dumps(item, ensure_ascii=False)}"
