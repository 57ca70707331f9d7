"""The form in which full texts lie in the object store."""

from __future__ import annotations

import gzip
from datetime import date

import pytest

from shared.texts import MAX_STORED, FullText, Section, text_name, unpacked
from tests.builders import a_paper


def a_text() -> FullText:
    return FullText(
        id="2512.08242",
        version=1,
        source="html",
        url="https://arxiv.org/html/2512.08242v1",
        license="http://creativecommons.org/licenses/by/4.0/",
        fetched=date(2025, 12, 10),
        sha256="0" * 64,
        sections=(Section(heading="1 Introduction", text="We measure.\nThen we tell."),),
    )


def test_what_was_stored_is_read_back() -> None:
    assert unpacked(a_text().packed()) == a_text()


def test_the_same_text_gives_the_same_bytes() -> None:
    assert a_text().packed() == a_text().packed()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        gzip.compress(b"{}"),
        a_text().packed()[:-9],
        gzip.compress(b" " * (MAX_STORED + 1)),
    ],
    ids=["nothing", "no gzip", "no text", "cut off", "a bomb"],
)
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"gzip|validation error|cut off"):
        unpacked(data)


def test_old_identifiers_make_names_without_slashes() -> None:
    assert text_name(a_paper(id="hep-th/9901001", version=2)) == "hep-th%2F9901001v2"
