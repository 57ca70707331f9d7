"""Several documents as one, for the object store: the pages of an answer belong to one batch."""

from __future__ import annotations

import json
from collections.abc import Sequence


def packed(pages: Sequence[bytes]) -> bytes:
    """Every byte as the character of its number, so that any bytes come back as they were."""
    return json.dumps([page.decode("latin-1") for page in pages], ensure_ascii=False).encode()


def unpacked(bundle: bytes) -> list[bytes]:
    """The pages of `packed`; `ValueError` when it is none."""
    pages = json.loads(bundle)
    if not isinstance(pages, list) or not pages or not all(isinstance(page, str) for page in pages):
        raise ValueError("it is no bundle of pages")
    return [page.encode("latin-1") for page in pages]
