"""What the fuzzers run: each parser on any bytes, with what must hold of its answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from services.fetcher.sources.document import UnusableDocument
from shared.messages import Paper

FORMS = ("arxiv_rss", "arxiv_oai", "arxiv_api")
MAX_MESSAGE = 256 * 1024
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def target(module: ModuleType) -> Callable[[bytes], None]:
    """Reads the document or refuses it by the parser's own errors; papers read from it can be sent on."""
    refusals = (UnusableDocument, *(error for error in (getattr(module, "OaiError", None),) if error))

    def read(document: bytes) -> None:
        try:
            answer = module.parse(document)
        except refusals:
            return
        check(item.paper for item in answer.items)

    return read


def check(papers: Iterable[Paper]) -> None:
    """They obey the message's own rules, fit into a message, and hold no character that XML forbids."""
    for paper in papers:
        message = paper.model_dump_json()
        assert len(message.encode()) <= MAX_MESSAGE, f"{paper.id}: {len(message)} characters"
        assert Paper.model_validate_json(message) == paper, f"{paper!r} is not what it says"
        texts = (paper.title, paper.abstract, paper.comment or "", *paper.authors, *paper.categories)
        assert not any(map(_FORBIDDEN.search, texts)), f"{paper!r} holds a forbidden character"


TARGETS = {
    form: target(import_module(f"services.fetcher.sources.{form}"))
    for form in FORMS
    if find_spec(f"services.fetcher.sources.{form}")
}
