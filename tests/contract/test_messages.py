"""Every form of a message that was ever published must parse for ever, and keep its identity."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.messages import MESSAGES, Message, PaperAnnounced
from shared.provision import CONSUMERS, MAX_MESSAGE
from tests.builders import a_paper, an_announcement

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))
BY_SUBJECT = {message.SUBJECT: message for message in MESSAGES}

KEYS = {
    "papers.announced": "announced:arxiv:2025-12-10:2512.08242v1",
    "papers.scored": "scored:arxiv:2025-12-10:2512.08242v1",
    "papers.selected": "selected:arxiv:2025-12-10:2512.08242v1",
    "papers.published": "published:gpu:2512.08242",
    "summaries.requested": "summary:2512.08242v1:structured:en",
    "summaries.completed": "summarized:2512.08242v1:structured:en",
    "batches.closed": "closed:arxiv:2025-12-10",
    "batches.checked": "checked:arxiv:2025-12-10:2",
    "texts.requested": "text:2512.08242v1:structured/en",
    "fetch.requested": "order:backfill-1",
    "fetch.progressed": "progress:backfill-1:3",
}


def message_type(path: Path) -> type[Message]:
    return BY_SUBJECT[path.name.rsplit(".", 2)[0]]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_a_message_once_published_is_understood_without_loss(path: Path) -> None:
    given = json.loads(path.read_bytes())

    message = message_type(path).model_validate(given)

    assert json.loads(message.model_dump_json(exclude_unset=True)) == given


@pytest.mark.parametrize("path", [path for path in GOLDEN if path.name.endswith(".1.json")], ids=lambda path: path.name)
def test_its_identity_never_changes(path: Path) -> None:
    message = message_type(path).model_validate_json(path.read_bytes())

    assert message.key == KEYS[message.SUBJECT]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.SUBJECT)
def test_every_message_has_a_golden_form(message: type[Message]) -> None:
    assert any(message_type(path) is message for path in GOLDEN)


def test_an_unknown_field_is_ignored() -> None:
    given = json.loads(an_announcement().model_dump_json()) | {"mood": "good"}

    assert PaperAnnounced.model_validate(given) == an_announcement()


def test_a_message_is_a_value() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        an_announcement().position = 2  # type: ignore[misc]


def test_the_largest_known_author_list_fits_into_a_message() -> None:
    paper = a_paper(authors=tuple(f"Firstname Middlename Surname-{n}" for n in range(3_303)))

    assert len(an_announcement(paper=paper).model_dump_json()) < MAX_MESSAGE


def test_every_message_that_a_service_reads_has_a_durable_consumer() -> None:
    read = {consumer.subject for consumer in CONSUMERS.values()}

    assert {message.SUBJECT for message in MESSAGES} - read == {"papers.published", "fetch.progressed"}
