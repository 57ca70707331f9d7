"""Documents read in a process of their own: whatever they do to it is an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import psutil
import pytest

from services.fetcher.texts.extract import Limits, extract
from services.fetcher.texts.sections import NoText
from tests.fulltexts import (
    ATLAS,
    a_page,
    a_pdf_whose_pages_contain_themselves,
    a_pdf_with_a_bomb,
    an_encrypted_pdf,
)
from tests.waiting import eventually


@pytest.fixture(scope="module")
def bomb() -> bytes:
    return a_pdf_with_a_bomb(100)


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    before = set(psutil.Process().children())
    yield
    assert set(psutil.Process().children()) <= before


async def test_a_good_document_gives_its_sections() -> None:
    html, pdf = await asyncio.gather(extract("html", a_page()), extract("pdf", ATLAS))

    assert [section.heading for section in html][:2] == ["Abstract", "1 Introduction"]
    assert [section.heading for section in pdf][:2] == ["Abstract", "1 Introduction"]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "it cannot be read"),
        (b"%PDF-1.7\n" + bytes(range(256)) * 1_000, "it cannot be read"),
        (ATLAS[: len(ATLAS) // 2], "it cannot be read|it holds only"),
        (an_encrypted_pdf(), "it is encrypted"),
        (a_pdf_whose_pages_contain_themselves(), "it cannot be read|it holds only"),
    ],
    ids=["empty", "garbage", "truncated", "encrypted", "endless tree"],
)
async def test_a_bad_document_is_no_text(document: bytes, reason: str) -> None:
    with pytest.raises(NoText, match=reason):
        await extract("pdf", document)


async def test_a_document_that_swells_is_no_text(bomb: bytes) -> None:
    with pytest.raises(NoText, match=r"crashed on it|too much memory"):
        await extract("pdf", bomb, Limits(memory=120))


async def test_a_document_that_takes_for_ever_is_no_text(bomb: bytes) -> None:
    with pytest.raises(NoText, match="it takes more than 1 s"):
        await extract("pdf", bomb, Limits(memory=4_000, seconds=1))


async def test_a_large_document_does_not_block_a_worker_that_died() -> None:
    with pytest.raises(NoText, match="crashed on it"):
        await extract("pdf", b"\0" * 30_000_000, Limits(memory=1))


async def test_an_answer_that_is_too_long_is_no_text() -> None:
    with pytest.raises(NoText, match="longer than 1000 bytes"):
        await extract("html", a_page(), Limits(output=1_000))


async def test_a_reader_that_is_no_longer_wanted_ends() -> None:
    task = asyncio.create_task(extract("pdf", ATLAS))
    await eventually(lambda: psutil.Process().children())

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
