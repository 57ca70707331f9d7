"""Recorded documents of any form as what the local arXiv holds."""

from __future__ import annotations

import lzma
import re
from collections.abc import Iterable
from pathlib import Path

from cli.local.arxiv import api
from cli.local.arxiv.faults import ANY
from cli.local.arxiv.replay import Replay

SITE = ("abs", "html", "pdf")
LISTINGS = ("list", "listing")
BEGINNING = 4_000  # bytes that tell what a document is
_DATED = re.compile(r"([A-Za-z.+-]+)\.\d{4}-\d\d-\d\d(?:\.|$)")


def load(*places: Path) -> tuple[Replay, list[Path]]:
    """What these files and folders hold, and the files that are of no form known here.

    Announcements and listing pages are named `<categories>.<day>…`, of which the latest counts; an announcement of
    another name is given for any categories. The site's pages lie in folders `abs`, `html`, `pdf` under their ids.
    """
    replay, unknown = Replay(), list[Path]()
    for place in places:
        for path in sorted(found for found in files(place) if not found.name.startswith(".")):
            if not taken(replay, path):
                unknown.append(path)
    return replay, unknown


def taken(replay: Replay, path: Path) -> bool:
    """Whether there was a place for it; a damaged archive costs only itself."""
    try:
        return take(replay, path, read(path))
    except (lzma.LZMAError, EOFError):
        return False


def files(place: Path) -> Iterable[Path]:
    """The file itself, or all those below the folder."""
    return (path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]


def read(path: Path) -> bytes:
    """The document, unpacked."""
    body = path.read_bytes()
    return lzma.decompress(body) if path.suffix == ".xz" else body


def take(replay: Replay, path: Path, body: bytes) -> bool:
    """Put the document where it belongs; whether there is a place for it."""
    beginning = body[:BEGINNING]
    if b"<OAI-PMH" in beginning:
        return replay.oai.add(body)
    if b"<rss" in beginning:
        replay.documents[categories_of(path)] = body
    elif b"<feed" in beginning and b"opensearch" in beginning:
        replay.api |= api.entries(body)
    elif b"<feed" in beginning:
        replay.atom[categories_of(path)] = body
    else:
        return page(replay, path, body)
    return True


def page(replay: Replay, path: Path, body: bytes) -> bool:
    """Put a page of the site where it belongs, if the folder's name says where that is."""
    if path.parent.name in LISTINGS:
        replay.listings[categories_of(path)] = body
        return True
    folder = next((name for name in path.parts[-3:-1] if name in SITE), None)
    if folder is None:
        return False
    identifier = "/".join(path.parts[path.parts.index(folder, len(path.parts) - 3) + 1 :])
    replay.pages[f"/{folder}/{re.sub('[.](html|pdf)$', '', identifier)}"] = body
    return True


def categories_of(path: Path) -> str:
    """What the name begins with, when it goes on with a day."""
    named = _DATED.match(path.name)
    return named[1] if named else ANY


def settings(url: str, replay: Replay) -> dict[str, str]:
    """The environment of services that are to ask the server at this address."""
    return {
        "ARXIV_RSS_URL": f"{url}/rss",
        "ARXIV_OAI_URL": f"{url}/oai",
        "ARXIV_API_URL": f"{url}/api/query",
        "ARXIV_SITE_URL": url,
        "ARXIV_INTERVAL": "0",
        "CHECK_LISTING": str(bool(replay.listings)).lower(),
    }
